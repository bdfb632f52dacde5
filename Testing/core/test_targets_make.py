"""Requests for targets: how they are read, what is made of them, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ReirradiationReviewLib.core.courses import Course, ImageSeries, Patient, Structure
from ReirradiationReviewLib.core.dicom import read_series
from ReirradiationReviewLib.core.dicom.series import read_image_folder
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.images import PlacedImage, in_reference_space
from ReirradiationReviewLib.core.pet.suv import suv_image
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.targets.make import make_targets
from ReirradiationReviewLib.core.targets.methods import METHODS, parse_request
from ReirradiationReviewLib.core.targets.outline import region_of
from ReirradiationReviewLib.core.volume import Volume
from target_images import DECOY, HILL, a_grid, an_image, ball_cc, hills, radius_mm

# Blur of 0.7 mm in the image and 1 mm in the method moves the half-height of a ball inwards by sigma^2 / R.
BLURRED_RADIUS_MM = 12.0 - (0.7**2 + 1.0**2) / 12.0
AT_HILL = "@" + ",".join(f"{x:g}" for x in HILL)


def a_ct():
    matrix = np.diag([2.0, 2.0, 3.0, 1.0])
    matrix[:3, 3] = HILL - 90.0
    return ImageSeries(Volume(np.zeros((61, 91, 91), dtype=np.int16), matrix, "1.2.3"), "CT")


def a_course(structures=(), ct=None):
    return Course("course 2", "", Patient(), a_ct() if ct is None else ct, tuple(structures), ())


def a_ball(name, centre, radius, number=1):
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    circle = np.column_stack([np.cos(angle), np.sin(angle), 0 * angle])
    heights = np.arange(-20, 21) * 3.0
    rings = [(np.sqrt(radius**2 - z**2), z) for z in heights if abs(z) < radius]
    return Structure(name, number, tuple(centre + r * circle + np.array([0, 0, z]) for r, z in rings))


def made(text, images=None, structures=()):
    (target,) = make_targets([parse_request(text)], images or [an_image(hills)], a_course(structures))
    return target


def an_mr(noise=4.0, fat=350.0):
    """Return an MR with a ball of radius 12 mm, value 400, in tissue of 200, and fat beside it."""
    rng = np.random.default_rng(1)

    def values(points):
        inside = np.linalg.norm(points - HILL, axis=1) < 12
        beside = points[:, 0] > HILL[0] + 12
        return np.where(inside, 400.0, np.where(beside, fat, 200.0)) + noise * rng.standard_normal(len(points))

    fine = an_image(values, a_grid((1.0, 1.0, 1.0), half_mm=75), modality="MR")
    from scipy.ndimage import gaussian_filter

    blurred = fine.volume.like(gaussian_filter(fine.volume.array, 0.7))
    thick = Volume(blurred.array[::3], blurred.index_to_lps @ np.diag([1, 1, 3.0, 1]), "1.2.3")
    return PlacedImage("MR T1", ImageSeries(thick, "MR", "T1"), thick, SpatialTransform(), "identity")


def test_a_request_is_read():
    request = parse_request("percent:42.5@12,-200.5,769; without=Brain, Bladder;image=AC;name=GTV new")
    assert (request.method.id, request.values) == ("percent", (42.5,))
    np.testing.assert_array_equal(request.seed, [12, -200.5, 769])
    assert (request.without, request.image, request.name) == (("Brain", "Bladder"), "AC", "GTV new")
    assert parse_request("range:300-500@GTV").values == (300, 500)
    assert parse_request("percist@GTV; reference=Liver, right").reference == "Liver, right"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("best@1,2,3", "there is no method 'best'; there are fixed, percent"),
        ("percent:many@1,2,3", "'many' is no value (percent), e.g. percent:41"),
        ("percent:-4", "is no value (percent)"),
        ("percent:140", "above the maximum"),
        ("fixed:nan", "is no value (SUV)"),
        ("gradient:3", "has no parameter"),
        ("ratio@1,2,3", "needs a value (times the mean of normal tissue), e.g. ratio:1.6"),
        ("range:500-300", "is no value (LOW-HIGH)"),
        ("range:500", "is no value (LOW-HIGH)"),
        ("percent@1,2,3;colour=red", "'colour=red' is none of within=..., without=..."),
        ("percent@1,2,3;within", "is none of"),
        ("", "there is no method ''"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(text, words):
    with pytest.raises(ReirradiationError) as refusal:
        parse_request(text)
    assert words in str(refusal.value)


def test_a_target_gets_its_facts_a_free_name_and_a_contour():
    there = (a_ball("GTV_PT_percent", DECOY, 10.0, 7),)
    target = made("percent:50" + AT_HILL, structures=there)
    assert (target.structure.name, target.structure.number) == ("GTV_PT_percent_2", 8)
    assert target.facts["volume_cc"] == pytest.approx(ball_cc(radius_mm(5.0)), rel=0.02)
    assert target.facts["suv_max"] == pytest.approx(10.0, rel=1e-4)
    assert target.facts["parameter"] == [50.0]
    assert target.facts["status"] == METHODS["percent"].status == "unverified"
    assert [notice.code for notice in target.notices] == ["target-from-pet", "target-method-unverified"]
    points = np.concatenate(target.structure.contours_lps)
    assert np.abs(np.linalg.norm(points - HILL, axis=1) - radius_mm(5.0)).max() < 1.0


def test_a_verified_default_needs_no_warning():
    target = made("fixed" + AT_HILL)
    assert [notice.code for notice in target.notices] == ["target-from-pet"]
    assert target.facts["parameter"] == [2.5]
    assert not target.facts["parameter_by_user"]


def test_a_target_that_runs_to_the_images_edge_is_told():
    target = made("fixed:0.9" + AT_HILL)  # below the background
    assert "target-leaks" in [notice.code for notice in target.notices]
    assert "reaches the edge of the image" in target.notices[-1].text
    assert "target-leaks" not in [notice.code for notice in made("fixed:2" + AT_HILL).notices]


def test_a_structure_can_be_the_seed_the_limit_and_what_is_left_out():
    hill, decoy = a_ball("Old GTV", HILL, 15.0), a_ball("Bladder", DECOY, 30.0, 2)
    assert made("fixed:4@old gtv", structures=(hill,)).facts["volume_cc"] == pytest.approx(
        ball_cc(radius_mm(4.0)), rel=0.02
    )
    both = a_ball("Box", (HILL + DECOY) / 2, 58.0)
    inside = made("fixed:4;within=Box", structures=(both,)).facts["volume_cc"]
    assert inside == pytest.approx(2 * ball_cc(radius_mm(4.0)), rel=0.03)
    without = made("fixed:4;within=Box;without=Bladder", structures=(both, decoy)).facts["volume_cc"]
    assert without == pytest.approx(ball_cc(radius_mm(4.0)), rel=0.02)


def test_a_target_can_be_the_seed_of_the_next_one():
    requests = [parse_request(text) for text in ("fixed:4" + AT_HILL + ";name=first", "percent:50@first")]
    _, second = make_targets(requests, [an_image(hills)], a_course())
    assert second.facts["volume_cc"] == pytest.approx(ball_cc(radius_mm(5.0)), rel=0.02)
    with pytest.raises(ReirradiationError, match="there is no structure 'first'"):
        make_targets(requests[::-1], [an_image(hills)], a_course())


def test_the_liver_is_measured_in_its_structure():
    liver = a_ball("Liver", HILL - np.array([0, 50.0, 0]), 32.0)
    target = made("percist" + AT_HILL, structures=(liver,))
    # The background is even there: mean 1, no deviation.
    assert target.facts["volume_cc"] == pytest.approx(ball_cc(radius_mm(1.5)), rel=0.03)


def test_a_ratio_needs_normal_tissue():
    with pytest.raises(ReirradiationError, match=r"compares with normal tissue: add reference=L,P,S"):
        made("ratio:1.6" + AT_HILL)
    with pytest.raises(ReirradiationError, match=r"compares with liver, and no structure is called Liver: add ref"):
        made("percist" + AT_HILL)
    target = made("ratio:1.6" + AT_HILL + ";reference=10,-40,-30")
    assert target.facts["volume_cc"] == pytest.approx(ball_cc(radius_mm(1.6)), rel=0.02)


def test_an_mr_target_grows_to_its_border_and_not_into_the_fat_beside_it():
    target = made("grow" + AT_HILL, images=[an_mr()])
    assert target.facts["volume_cc"] == pytest.approx(ball_cc(BLURRED_RADIUS_MM), rel=0.06)
    assert "suv_max" not in target.facts
    assert target.facts["image_value_mean"] == pytest.approx(400, rel=0.05)


def test_an_mr_target_between_two_values():
    target = made("range:300-500" + AT_HILL, images=[an_mr(fat=200.0)])
    assert target.facts["volume_cc"] == pytest.approx(ball_cc(BLURRED_RADIUS_MM), rel=0.03)


def test_growth_without_end_is_refused():
    with pytest.raises(ReirradiationError, match="grows out of the 60 mm around the seed"):
        made("range:100-500" + AT_HILL, images=[an_mr()])


def test_growth_stays_within_a_region():
    limit = a_ball("Limit", HILL, 16.0)
    target = made("range:100-500" + AT_HILL + ";within=Limit", images=[an_mr()], structures=(limit,))
    assert target.facts["volume_cc"] == pytest.approx(ball_cc(16.0), rel=0.03)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fixed", "where the target is has to be said"),
        ("grow" + AT_HILL, "there are no MR images ('PT made up')"),
        ("fixed@Nowhere", "there is no structure 'Nowhere'; there are none"),
        ("fixed:40" + AT_HILL, "lies above the highest value"),
        ("fixed" + AT_HILL + ";image=other", "with 'other' in its name"),
    ],
)
def test_a_target_that_cannot_be_made_is_refused(text, words):
    with pytest.raises(ReirradiationError) as refusal:
        made(text)
    assert words in str(refusal.value)


def test_one_of_several_images_has_to_be_chosen():
    images = [an_image(hills), an_image(hills)]
    with pytest.raises(ReirradiationError, match=r"there are 2 PT images .*choose one with image=TEXT"):
        made("fixed" + AT_HILL, images=images)


def test_a_fixed_suv_needs_suv():
    with pytest.raises(ReirradiationError, match="is not in SUV"):
        made("fixed" + AT_HILL, images=[an_image(hills, suv=False)])
    assert made("percent:50" + AT_HILL, images=[an_image(hills, suv=False)]).facts["volume_cc"] > 0


@pytest.fixture(scope="module")
def the_recurrence(data_dir):
    """Return images, the true mask on the CT, the CT and the seed of the reference case's recurrence."""
    folder = data_dir / "reirr_hn"
    truth = json.loads((folder / "truth.json").read_text())
    ct = read_series(folder / "course2" / "CT", "CT")
    (found,) = read_image_folder(folder / "pet", "PT")
    suv = suv_image(found.image, found.pet)
    pet = PlacedImage("PET", suv.series, suv.series.volume, SpatialTransform(), "identity", suv=suv.facts)
    mr = read_series(folder / "mr", "MR")
    to_mr = SpatialTransform(np.linalg.inv(np.array(truth["M_mr_to_course2"])))
    placed = PlacedImage("MR", mr, in_reference_space(mr.volume, to_mr, ct.volume.frame_of_reference_uid), to_mr, "reg")
    masks = np.load(folder / "truth.npz")
    mask = np.unpackbits(masks["mask_GTV_recur"])[: ct.volume.array.size].reshape(ct.volume.array.shape).astype(bool)
    return [pet, placed], mask, ct, np.array(truth["gtv2"]["center2"]), truth


def dsc_of(target, mask, ct):
    found = region_of(target.structure, ct.volume).mask.array
    return 2 * np.count_nonzero(found & mask) / (np.count_nonzero(found) + np.count_nonzero(mask))


@pytest.mark.parametrize(
    ("method", "least_dsc"),
    [("fixed:4", 0.9), ("percent:41", 0.88), ("adapted:30", 0.92), ("gradient", 0.8), ("grow", 0.92)],
)
def test_the_recurrence_is_found_and_not_the_decoy(the_recurrence, method, least_dsc):
    images, mask, ct, seed, truth = the_recurrence
    text = f"{method}@{','.join(map(str, seed + np.array([4.0, -3.0, 3.0])))}"
    (target,) = make_targets([parse_request(text)], images, a_course((), ct))
    assert dsc_of(target, mask, ct) > least_dsc
    centre, radius, _ = truth["pet"]["decoy_spheres_center2_radius_suv"][0]
    assert (np.linalg.norm(target.region.points_lps - centre, axis=1) > radius).all()
    if method != "grow":
        assert target.facts["suv_max"] == pytest.approx(truth["pet"]["suvmax_in_gtv"], rel=1e-3)
