"""Functional maps as a user gives them: files and images, organs by name, figures in the data."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from made_up_review import a_grid, a_review, four_structures, two_courses
from ReirradiationReviewLib.core.courses import ImageSeries
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.functional_maps import check_functions, functional_maps, weighted_organs
from ReirradiationReviewLib.core.images import PlacedImage
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.results.functional import functional_entries


@pytest.fixture(scope="module")
def review():
    return a_review(two_courses())


def an_image(name="PT perfusion", value=1.0):
    grid = a_grid(value)
    return PlacedImage(name, ImageSeries(grid, "PT", units="SUVbw (g/mL)"), grid, SpatialTransform(), "identity")


def test_a_map_is_an_image_by_its_name_or_a_file_in_the_planning_cts_space(tmp_path, review):
    # The left lung works three times as well as the right one.
    grid = a_grid(1.0)
    grid.array[:, :, 21:] = 3.0
    sitk.WriteImage(grid.to_sitk(), str(tmp_path / "ventilation.nii.gz"))
    maps = functional_maps(
        {"Lungs": str(tmp_path / "ventilation.nii.gz"), "Lung_L": "perfusion"}, [an_image(), an_image("MR T1")]
    )
    assert [(each.organ, each.name) for each in maps] == [("Lungs", "ventilation.nii.gz"), ("Lung_L", "PT perfusion")]
    both, left = weighted_organs(review, maps)
    assert both.composite_eqd2.mean_function == pytest.approx(2.0, abs=0.01)
    assert (both.organ.match.tg263, left.organ.name) == ("Lungs", "Lung_L")


def test_the_data_holds_plain_and_weighted_figures_of_every_dose(review):
    (entry,) = functional_entries(review, weighted_organs(review, functional_maps({"lung_l": "perf"}, [an_image()])))
    assert (entry["structure"], entry["map"], entry["map_unit"]) == ("Lung_L", "PT perfusion", "SUVbw (g/mL)")
    assert [(dose["course"], dose["quantity"]) for dose in entry["doses"]] == [
        ("course 1", "physical"), ("course 2", "physical"), ("course 1", "EQD2"), ("course 2", "EQD2"),
        ("composite", "EQD2"),
    ]  # fmt: skip
    # Uniform doses: 40 Gy in 20, and 20 Gy in 4, at the lung's alpha/beta.
    alpha_beta = entry["alpha_beta_gy"]
    expected = 40.0 + 20.0 * (5.0 + alpha_beta) / (2.0 + alpha_beta)
    assert entry["doses"][-1]["weighted"]["Dmean_gy"] == pytest.approx(expected)
    assert entry["doses"][1]["plain"]["V20Gy_percent"] == pytest.approx(100.0)


def test_what_is_no_map_is_refused_with_what_there_is(tmp_path, review):
    with pytest.raises(ReirradiationError, match=r"--function Lungs=SPECT: .*images: 'PT perfusion'"):
        functional_maps({"Lungs": "SPECT"}, [an_image()])
    with pytest.raises(ReirradiationError, match="'PT perfusion', 'PT perfusion 2'"):
        functional_maps({"Lungs": "perfusion"}, [an_image(), an_image("PT perfusion 2")])
    (tmp_path / "junk.mha").write_bytes(b"no image")
    with pytest.raises(ReirradiationError, match="cannot be read as an image"):
        functional_maps({"Lungs": str(tmp_path / "junk.mha")}, [])
    with pytest.raises(ReirradiationError, match="--function names 'Liver'"):
        weighted_organs(review, functional_maps({"Liver": "perf"}, [an_image()]))


def test_a_request_is_checked_before_anything_is_placed_or_mapped():
    structures = four_structures()
    check_functions({"lung_l": "perf", "Lungs": "PERFUSION"}, structures, ["PT perfusion", "MR T1"])
    with pytest.raises(ReirradiationError, match="'Liver', which is none of the structures: Cord, Lung_L"):
        check_functions({"Liver": "perf"}, structures, ["PT perfusion"])
    with pytest.raises(ReirradiationError, match="images: none"):
        check_functions({"Lungs": "perf"}, structures, [])


def test_a_map_of_nan_is_unknown_not_zero(review):
    with pytest.raises(ReirradiationError, match="does not cover Lung_L"):
        weighted_organs(review, functional_maps({"Lung_L": "perf"}, [an_image(value=np.nan)]))
