"""SUV of made-up PET series whose true SUV is known from the physics of decay, for every way that they are stored."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from dicom_case import item
from pet_case import (
    BED_S,
    DOSE_BQ,
    HALF_LIFE_S,
    HEIGHT_M,
    INJECTED,
    SLICES,
    STARTED,
    TRUE_SUV,
    WEIGHT_KG,
    a_pet,
    suv_of,
    with_all,
    with_private,
    with_tracer,
)
from ReirradiationReviewLib.core.dicom.series import read_image_folder
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.pet.body import normaliser
from ReirradiationReviewLib.core.pet.facts import PetFacts
from ReirradiationReviewLib.core.pet.suv import suv_image
from ReirradiationReviewLib.core.pet.times import average_time_s

GA68_HALF_LIFE_S = 4057.7


def worst_error(found, truth=TRUE_SUV):
    """Return the largest relative error of any voxel."""
    return float(np.abs(found.series.volume.array / truth - 1).max())


def codes(found):
    return [notice.code for notice in found.notices]


def clock(moment):
    return moment.strftime("%H%M%S")


def later_series_time(case, minutes=25):
    at = STARTED + timedelta(minutes=minutes)
    return with_all(case, SeriesDate=at.strftime("%Y%m%d"), SeriesTime=clock(at))


def bsa_cm2():
    return 0.007184 * (100 * HEIGHT_M) ** 0.725 * WEIGHT_KG**0.425 * 1e4


def suv_is_stored(case, factor, **attributes):
    """Turn the series into one that holds SUV times a factor."""
    for dataset in case.values():
        stored = np.frombuffer(dataset.PixelData, dtype=np.int16)
        dataset.RescaleSlope = f"{4.0 * factor / stored.max():.10g}"
    return with_all(case, **attributes)


NEAR_MIDNIGHT = datetime(2025, 1, 2, 0, 30)
BEFORE_MIDNIGHT = datetime(2025, 1, 1, 23, 30)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (a_pet, []),
        (lambda: a_pet("ADMIN"), []),
        (lambda: a_pet("NONE"), []),
        (lambda: later_series_time(a_pet()), ["pet-series-time-differs"]),
        (lambda: later_series_time(a_pet(ge=True)), ["pet-series-time-differs"]),
        (
            lambda: with_private(
                later_series_time(a_pet(ge=True)), 0x0009, "GEMS_PETD_01", 0x0D, "20250101110000.00"
            ),
            ["pet-series-time-differs"],
        ),
        (
            lambda: with_private(
                later_series_time(a_pet()), 0x0071, "SIEMENS MED PT", 0x22, "20250101110000.000000"
            ),
            ["pet-series-time-differs"],
        ),
        (
            lambda: with_all(later_series_time(a_pet()), DecayCorrectionDateTime="20250101110000"),
            ["pet-series-time-differs"],
        ),
        (lambda: with_tracer(a_pet(), RadiopharmaceuticalStartTime=None), []),
        (lambda: with_tracer(a_pet(), RadiopharmaceuticalStartDateTime=None), ["pet-injection-date"]),
        (
            lambda: with_tracer(
                a_pet(injected=BEFORE_MIDNIGHT, started=NEAR_MIDNIGHT), RadiopharmaceuticalStartDateTime=None
            ),
            ["pet-injection-date"],
        ),
        (lambda: a_pet(injected=BEFORE_MIDNIGHT, started=NEAR_MIDNIGHT), []),
        # Anonymised: the injection's date is another one than the scan's.
        (lambda: with_tracer(a_pet(), RadiopharmaceuticalStartDateTime="19000101100000"), ["pet-injection-date"]),
        (lambda: with_tracer(a_pet(), RadionuclideTotalDose=DOSE_BQ / 1e6), ["pet-dose-in-mbq"]),
        (lambda: with_all(a_pet(), PatientWeight=WEIGHT_KG * 1000), ["pet-weight-in-grams"]),
        (lambda: a_pet(half_life_s=GA68_HALF_LIFE_S), []),
        (lambda: a_pet("NONE", half_life_s=GA68_HALF_LIFE_S), []),
        (
            lambda: with_private(
                with_all(a_pet(per_unit=0.5), Units="CNTS"), 0x7053, "Philips PET Private Group", 0x09, "0.5"
            ),
            [],
        ),
        (lambda: suv_is_stored(a_pet(), 1.0, Units="GML", PatientWeight=None), []),
        (lambda: suv_is_stored(a_pet(), bsa_cm2() / (WEIGHT_KG * 1000), Units="CM2ML", SUVType="BSA"), []),
        # Women, James: 1.07 w - 148 (w/h)^2 with h in cm.
        (
            lambda: suv_is_stored(
                a_pet(), (1.07 * 70 - 148 * (70 / 175) ** 2) / 70, Units="GML", SUVType="LBMJAMES128"
            ),
            [],
        ),
        (
            lambda: with_private(
                suv_is_stored(a_pet(), 2000.0, Units="CNTS"), 0x7053, "Philips PET Private Group", 0x00, "0.0005"
            ),
            [],
        ),
    ],
    ids=[
        "START", "ADMIN", "NONE", "series time after acquisition", "GE series time after acquisition", "GE private",
        "Siemens private", "Decay Correction DateTime", "DateTime only", "time only", "time only over midnight",
        "over midnight", "date changed", "dose in MBq", "weight in g", "Ga-68", "Ga-68 NONE", "Philips activity",
        "GML", "CM2ML", "GML lean body mass", "Philips SUV",
    ],
)  # fmt: skip
def test_the_true_suv_comes_out(tmp_path, make, said):
    found = suv_of(make(), tmp_path)
    assert worst_error(found) < 1e-3  # stored values are whole numbers: the lowest of them about 1500
    assert codes(found) == said
    assert found.series.units == "SUVbw (g/mL)"


def test_a_zone_that_differs_from_the_files_is_converted(tmp_path):
    case = with_all(
        with_tracer(a_pet(), RadiopharmaceuticalStartDateTime="20250101080000+0000"), TimezoneOffsetFromUTC="+0200"
    )
    assert worst_error(suv_of(case, tmp_path)) < 1e-3


def test_the_private_time_is_found_without_its_creator(tmp_path):
    case = later_series_time(a_pet(ge=True))
    for dataset in case.values():
        dataset.add_new((0x0009, 0x100D), "UN", b"20250101110000.00 ")
    assert suv_of(case, tmp_path).facts["values_at_source"] == "GE's scan time (0009,100D)"


def test_the_worked_example_of_the_literature():
    # 5000 Bq/mL, 70 kg, 350 MBq of F-18 injected 60 minutes earlier: 239.62 MBq are left, the SUV is 1.4606.
    left_mbq = 350 * 2 ** (-3600 / HALF_LIFE_S)
    assert left_mbq == pytest.approx(239.62, abs=0.005)
    assert 5000 * 70000 / (left_mbq * 1e6) == pytest.approx(1.4606, abs=5e-5)


def test_a_series_says_the_worked_example(tmp_path):
    case = with_tracer(a_pet(), RadionuclideTotalDose=350e6)
    for dataset in case.values():
        dataset.RescaleSlope = "1"
        dataset.PixelData = np.full((4, 4), 5000, dtype=np.int16).tobytes()
    found = suv_of(case, tmp_path)
    assert found.series.volume.array == pytest.approx(1.4606, abs=5e-5)
    assert found.facts["injected_mbq_at_values"] == pytest.approx(239.62, abs=0.005)
    assert found.facts["uptake_minutes"] == pytest.approx(60)


def test_the_average_activity_of_a_frame_comes_before_its_middle():
    assert average_time_s(120.0, HALF_LIFE_S) == pytest.approx(59.937, abs=0.0005)
    assert average_time_s(1e-6, HALF_LIFE_S) == pytest.approx(5e-7)


@pytest.mark.parametrize(
    ("suv_type", "sex", "kg_or_cm2"),
    [
        # 80 kg and 1.80 m, by hand from the formulas.
        ("LBMJAMES128", "M", 1.10 * 80 - 128 * (80 / 180) ** 2),
        ("LBMJAMES128", "F", 1.07 * 80 - 148 * (80 / 180) ** 2),
        ("LBMJANMA", "M", 741600 / (6680 + 216 * 24.6914)),
        ("LBMJANMA", "F", 741600 / (8780 + 244 * 24.6914)),
        ("BSA", "O", 19.9639),
        ("BW", "", 80.0),
    ],
)
def test_body_sizes(suv_type, sex, kg_or_cm2):
    facts = PetFacts("PET", "BQML", weight_kg=80.0, height_m=1.80, sex=sex)
    found, notices = normaliser(facts, suv_type)
    assert found == pytest.approx(kg_or_cm2 * 1000, rel=1e-4)
    assert not notices


def test_the_sexes_mean_is_taken_for_other_and_said(tmp_path):
    found = suv_of(with_all(a_pet(), PatientSex="O"), tmp_path, "lbm-james")
    assert codes(found) == ["pet-sex-other"]
    men, women = (a * 70 - b * (70 / 175) ** 2 for a, b in ((1.10, 128), (1.07, 148)))
    assert worst_error(found, TRUE_SUV * (men + women) / 140) < 1e-3


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: with_all(a_pet(), PatientWeight=None), ["PatientWeight (0010,1030) is missing", "--pet-weight-kg"]),
        (lambda: with_all(a_pet(), PatientWeight=0), ["PatientWeight (0010,1030) is 0"]),
        (
            lambda: with_tracer(a_pet(), RadionuclideTotalDose=None),
            ["RadionuclideTotalDose (0018,1074)", "--pet-dose-mbq"],
        ),
        (
            lambda: with_all(a_pet(), RadiopharmaceuticalInformationSequence=None),
            ["--pet-dose-mbq, --pet-half-life-s, --pet-injection"],
        ),
        (
            lambda: with_tracer(a_pet(), RadiopharmaceuticalStartTime=None, RadiopharmaceuticalStartDateTime=None),
            ["RadiopharmaceuticalStartDateTime (0018,1078) is missing", "--pet-injection"],
        ),
        (
            lambda: with_tracer(a_pet(), RadionuclideHalfLife=None),
            ["RadionuclideHalfLife (0018,1075)", "--pet-half-life-s"],
        ),
        (
            lambda: with_all(a_pet(), DecayCorrection=None),
            ["DecayCorrection (0054,1102) is missing", "--pet-decay-correction"],
        ),
        (lambda: with_all(a_pet(), Units="CNTS"), ["CNTS", "(7053,1000)", "(7053,1009)", "--pet-bqml-per-count"]),
        (lambda: with_all(a_pet(), Units="PROPCPS"), ["Units (0054,1001) is 'PROPCPS'"]),
        (lambda: with_all(a_pet(), CorrectedImage=["NORM", "DECY"]), ["CorrectedImage (0028,0051) lacks ATTN"]),
        (lambda: with_all(a_pet("NONE"), ActualFrameDuration=None), ["ActualFrameDuration (0018,1242) is missing"]),
        (
            lambda: with_tracer(
                a_pet(), RadiopharmaceuticalStartTime="123000", RadiopharmaceuticalStartDateTime="20250101123000"
            ),
            ["22.5 hours before", "--pet-injection"],
        ),
        (lambda: with_all(a_pet(), PatientSize=None, Units="GML", SUVType="BSA"), ["SUVType (0054,1006) is 'BSA'"]),
        (lambda: with_all(a_pet(), AcquisitionTime="noon"), ["AcquisitionTime (0008,0032) is 'noon', not a time"]),
    ],
    ids=[
        "weight", "weight 0", "dose", "tracer", "injection", "half-life", "decay correction", "counts", "units",
        "attenuation", "frame duration", "uptake of a day", "SUV type", "acquisition time",
    ],
)  # fmt: skip
def test_what_cannot_be_known_is_refused_with_its_tag_and_the_way_to_enter_it(tmp_path, make, words):
    with pytest.raises(ReirradiationError) as refusal:
        suv_of(make(), tmp_path)
    for word in words:
        assert word in str(refusal.value)


def test_lean_body_mass_needs_height_and_sex(tmp_path):
    with pytest.raises(ReirradiationError, match=r"PatientSize \(0010,1020\) is missing.*--pet-height-m"):
        suv_of(with_all(a_pet(), PatientSize=None), tmp_path / "a", "lbm-janma")
    with pytest.raises(ReirradiationError, match=r"PatientSize \(0010,1020\) is 175 m"):
        suv_of(with_all(a_pet(), PatientSize=175), tmp_path / "b", "bsa")
    with pytest.raises(ReirradiationError, match=r"PatientSex \(0010,0040\) is 'missing'.*--pet-sex"):
        suv_of(with_all(a_pet(), PatientSex=None), tmp_path / "c", "lbm-james")


def test_entered_values_stand_in_and_are_marked(tmp_path):
    case = with_all(a_pet(), PatientWeight=None, RadiopharmaceuticalInformationSequence=None)
    found = suv_of(
        case, tmp_path, weight_kg=WEIGHT_KG, dose_mbq=DOSE_BQ / 1e6, half_life_s=HALF_LIFE_S, injection=INJECTED
    )
    assert worst_error(found) < 1e-3
    assert codes(found) == ["pet-values-entered"]
    assert "weight_kg = 70.0" in found.facts["entered_by_user"]
    assert "dose_mbq = 368.08" in found.notices[0].text


def test_an_entered_injection_that_cannot_be_right_is_refused(tmp_path):
    with pytest.raises(ReirradiationError, match="does not fit"):
        suv_of(a_pet(), tmp_path, injection=INJECTED - timedelta(days=1))


def test_counts_with_an_entered_factor(tmp_path):
    case = with_all(a_pet(per_unit=2.5), Units="CNTS")
    assert worst_error(suv_of(case, tmp_path, bqml_per_count=2.5)) < 1e-3


def test_the_nuclides_code_stands_in_for_its_half_life_with_a_notice(tmp_path):
    code = item(CodeValue="C-111A1", CodingSchemeDesignator="SRT", CodeMeaning="^18^Fluorine")
    case = with_tracer(a_pet(), RadionuclideHalfLife=None, RadionuclideCodeSequence=[code])
    found = suv_of(case, tmp_path)
    assert worst_error(found) < 1e-3
    assert codes(found) == ["pet-half-life-of-nuclide"]


def test_a_contradiction_about_decay_is_said(tmp_path):
    case = with_all(a_pet(), CorrectedImage=["ATTN", "NORM"])
    assert codes(suv_of(case, tmp_path)) == ["pet-decay-contradiction"]


def test_an_injection_after_the_scan_is_said(tmp_path):
    late = STARTED + timedelta(minutes=20)
    case = with_tracer(a_pet(), RadiopharmaceuticalStartDateTime=late.strftime("%Y%m%d%H%M%S"))
    assert "pet-injection-after-scan" in codes(suv_of(case, tmp_path))


def test_beds_that_state_different_references_are_each_taken_at_their_own(tmp_path):
    case = later_series_time(a_pet())
    for number in range(SLICES // 2, SLICES):
        dataset = case[f"{number}.dcm"]
        dataset.FrameReferenceTime = float(dataset.FrameReferenceTime) - 1000 * BED_S
    found = suv_of(case, tmp_path)
    assert "pet-several-decay-references" in codes(found)
    array = found.series.volume.array
    assert array[3] / array[0] == pytest.approx(2 ** (BED_S / HALF_LIFE_S), rel=1e-3)


def test_a_fallback_to_the_series_time_is_said(tmp_path):
    case = with_all(a_pet(), FrameReferenceTime=None, AcquisitionTime=None)
    found = suv_of(case, tmp_path)
    assert worst_error(found) < 1e-3
    assert codes(found) == ["pet-decay-reference-assumed"]


def test_series_that_cannot_be_read_are_passed_over_with_a_notice(tmp_path):
    a_pet().write(tmp_path / "good")
    bad = with_all(a_pet(), SeriesDescription="other")
    bad["2.dcm"].Units = "CNTS"
    bad.write(tmp_path / "bad")
    (found,) = read_image_folder(tmp_path, "PT")
    assert found.image.description == "PET WB"
    assert [notice.code for notice in found.notices] == ["series-passed-over"]
    with pytest.raises(ReirradiationError, match="differs from"):
        read_image_folder(tmp_path, "PT", ["other"])
    with pytest.raises(ReirradiationError, match=r"contains 'T1'; there are: 'other', 'PET WB'|'PET WB', 'other'"):
        read_image_folder(tmp_path, "PT", ["T1"])


@pytest.mark.parametrize("name", ["43_pet_ok", "46_pet_gml"])
def test_awkward_series_have_their_suv(data_dir, name):
    (found,) = read_image_folder(data_dir / "awkward" / name, "PT")
    array = suv_image(found.image, found.pet).series.volume.array
    assert array.max() == pytest.approx(6.0, rel=1e-3)
    assert np.median(array[array > 0.5]) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("44_pet_no_weight", r"PatientWeight \(0010,1030\) is missing"),
        ("45_pet_cnts", r"Units \(0054,1001\) is CNTS"),
        ("47_pet_no_radiopharm", r"RadionuclideTotalDose \(0018,1074\)"),
    ],
)
def test_awkward_series_without_suv_are_refused(data_dir, name, words):
    (found,) = read_image_folder(data_dir / "awkward" / name, "PT")
    with pytest.raises(ReirradiationError, match=words):
        suv_image(found.image, found.pet)


def test_the_reference_case_has_its_true_suv(data_dir):
    import json

    truth = json.loads((data_dir / "reirr_hn" / "truth.json").read_text())["pet"]
    (found,) = read_image_folder(data_dir / "reirr_hn" / "pet", "PT")
    suv = suv_image(found.image, found.pet)
    assert suv.facts["suv_per_stored_unit"] == pytest.approx([truth["suv_per_bqml"]], rel=1e-6)
    assert suv.series.volume.array.max() == pytest.approx(truth["suvmax"], rel=1e-3)


def test_a_real_series_in_suv_stays_as_it_is(data_dir):
    (found,) = read_image_folder(data_dir / "pet_mr_sts001" / "PET" / "image", "PT")
    np.testing.assert_array_equal(suv_image(found.image, found.pet).series.volume.array, found.image.volume.array)
