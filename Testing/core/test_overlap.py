"""Overlap volumes of doses whose isodoses are planes, and the kind of re-irradiation that they make."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk
from made_up_courses import a_box, a_cylinder, a_dose, a_protocol, a_review
from ReirradiationReviewLib.core.overlap import classify, overlap_map, overlap_steps, volume_where_cc
from ReirradiationReviewLib.core.results.document import review_document
from ReirradiationReviewLib.overlap_outputs import write_overlap_maps

CORD = a_cylinder("SpinalCord")


def linear(along_x=0.0, along_y=0.0, along_z=0.0, at_origin=50.0, spacing_mm=2.0):
    return a_dose(lambda x, y, z: at_origin + along_x * x + along_y * y + along_z * z, spacing_mm=spacing_mm)


class TestVolumes:
    @pytest.mark.parametrize("spacing_mm", [2.0, 3.0, 4.0])
    @pytest.mark.parametrize("edge_mm", [0.0, 10.3, 31.7, -7.1])
    def test_of_two_half_spaces(self, spacing_mm, edge_mm):
        doses = [linear(along_x=1.0, spacing_mm=spacing_mm), linear(along_y=-0.5, spacing_mm=spacing_mm)]
        found = volume_where_cc(doses, [50.0 + edge_mm, 50.0 - 0.5 * 4.4])
        expected = (60 - edge_mm) * (60 + 4.4) * 120 / 1000
        # An edge is found to an eighth of a cell.
        assert found == pytest.approx(expected, abs=spacing_mm / 8 * (64 + 60) * 120 / 1000)

    def test_of_a_box_within_a_box_is_the_smaller_one(self):
        wide = a_dose(lambda x, y, z: 60 - np.maximum(np.maximum(np.abs(x), np.abs(y)), np.abs(z)))
        narrow = a_dose(lambda x, y, z: 40 - np.maximum(np.maximum(np.abs(x - 5), np.abs(y)), np.abs(z)))
        assert volume_where_cc([wide, narrow], [20.0, 20.0]) == pytest.approx(64.0, rel=0.02)
        assert volume_where_cc([wide], [20.0]) == pytest.approx(512.0, rel=0.01)

    def test_of_all_and_of_nothing(self):
        dose = linear()
        assert volume_where_cc([dose, dose], [50.0, 10.0]) == pytest.approx(1728.0)
        assert volume_where_cc([dose, dose], [51.0, 10.0]) == 0.0

    def test_what_is_not_known_is_not_counted(self):
        dose = linear()
        dose.array[: dose.array.shape[0] // 2] = np.nan
        assert volume_where_cc([dose], [10.0]) == pytest.approx(864.0, rel=0.02)
        assert overlap_map([dose], [10.0]).array.mean() == pytest.approx(0.5, abs=0.01)

    def test_the_map_is_one_where_both_reach_their_level(self):
        first, second = linear(along_x=1.0), linear(along_y=1.0)
        found = overlap_map([first, second], [60.0, 40.0]).array
        np.testing.assert_array_equal(found == 1, (first.array >= 60) & (second.array >= 40))


def test_the_steps_count_the_isodoses_that_both_courses_share(tmp_path):
    # 50 Gy prescribed and 50 Gy at x = 0, falling by 1 Gy/mm; 30 Gy everywhere.
    review = a_review(lambda x, y, z: 50 - np.maximum(x, 0), lambda x, y, z: 30.0, (CORD,), (25, 10), (50.0, 30.0))
    along_x = overlap_steps(review, 0).array[30, 30]
    x = np.linspace(-60, 60, 61)
    np.testing.assert_array_equal(along_x, (x <= 2.5).astype(int) + (x <= 10) + (x <= 25))
    (name,) = write_overlap_maps(review, tmp_path)
    image = sitk.ReadImage(str(tmp_path / name))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image)[30, 30], along_x)
    assert image.GetOrigin() == (-60.0, -60.0, -60.0)


def test_without_a_prescription_there_are_no_steps(tmp_path):
    review = a_review(lambda x, y, z: 50.0, lambda x, y, z: 30.0, (CORD,), (25, 10), (None, 30.0))
    assert overlap_steps(review, 0) is None
    assert write_overlap_maps(review, tmp_path) == []


def box_dose(peak_gy, low_x, high_x):
    """Return a dose with a plateau between two planes and a steep fall beyond them."""
    return lambda x, y, z: np.clip(peak_gy * (1 - np.maximum(low_x - x, x - high_x) / 6), 0.0, peak_gy)


class TestTheKind:
    def kind_of(self, tmp_path, first, second, structures=(CORD,), prescriptions_gy=(50.0, 30.0), **row):
        review = a_review(
            first, second, structures, (25, 10), prescriptions_gy, protocols=(a_protocol(tmp_path, **row),)
        )
        return classify(review, review.constraints())

    def test_overlap_of_the_fields_is_type_1(self, tmp_path):
        found = self.kind_of(tmp_path, box_dose(50, -60, 10), box_dose(30, -5, 60))
        assert found.kind == "type 1"
        # Both half-isodoses lie 3 mm beyond their planes: a slab from -8 to 13 mm, 120 mm square.
        assert found.overlap_cc[0] == pytest.approx(21 * 120 * 120 / 1000, rel=0.01)
        assert "cc with course 1" in found.reason

    def test_fields_that_only_touch_do_not_overlap(self, tmp_path):
        found = self.kind_of(tmp_path, box_dose(50, -60, -10), box_dose(30, -4, 60), limit=200)
        assert found.overlap_cc[0] < 0.1
        assert found.kind != "type 1"

    def test_a_cumulative_dose_of_concern_without_overlap_is_type_2(self, tmp_path):
        found = self.kind_of(tmp_path, box_dose(50, -60, -12), box_dose(30, 12, 60), limit=25)
        assert found.kind == "type 2"
        assert "SpinalCord D0.03cc (fail)" in found.reason

    def test_an_organ_that_both_reach_without_concern_is_repeat_organ_irradiation(self, tmp_path):
        found = self.kind_of(tmp_path, box_dose(50, -60, -12), box_dose(30, 12, 60), limit=200)
        assert found.kind == "repeat organ irradiation"
        assert "SpinalCord" in found.reason

    def test_no_organ_in_common_is_repeat_irradiation(self, tmp_path):
        far = a_box("SpinalCord", (20, -10, -10), (40, 10, 10))
        found = self.kind_of(tmp_path, box_dose(50, -60, -30), box_dose(30, 12, 60), (far,), limit=200)
        assert found.kind == "repeat irradiation"

    def test_a_missing_prescription_leaves_it_unknown_and_says_whose(self, tmp_path):
        found = self.kind_of(tmp_path, box_dose(50, -60, 10), box_dose(30, -5, 60), prescriptions_gy=(None, 30.0))
        assert found.kind == "unknown"
        assert "course 1" in found.reason

    def test_without_any_constraint_concern_cannot_be_excluded(self, tmp_path):
        found = self.kind_of(tmp_path, box_dose(50, -60, -12), box_dose(30, 12, 60), (a_cylinder("Larynx"),))
        assert found.kind == "unknown"


def test_the_document_tells_volumes_and_the_share_of_targets(tmp_path):
    target = a_box("PTV_new", (0, -10, -10), (20, 10, 10), 4, kind="PTV")
    review = a_review(
        box_dose(50, -60, 10), box_dose(30, -4, 60), (CORD, target), (25, 10), (50.0, 30.0),
        protocols=(a_protocol(tmp_path),),
    )  # fmt: skip
    overlap = json.loads(json.dumps(review_document(review)["overlap"], allow_nan=False))
    assert overlap["kind"] == "type 1"
    assert "this software's choice" in overlap["rule"]
    (course,) = overlap["courses"]
    at = {(v["earlier_percent"], v["new_percent"]): v["volume_cc"] for v in course["volumes"]}
    # The 50 % isodoses lie 3 mm and the 95 % isodoses 0.3 mm beyond the planes.
    assert at[50.0, 50.0] == pytest.approx(20.0 * 14.4, rel=0.01)
    assert at[95.0, 95.0] == pytest.approx(14.6 * 14.4, abs=2 * 0.25 * 14.4)
    inside = {isodose["dose_gy"]: isodose["percent"] for isodose in course["targets"][0]["inside"]}
    # The dose is 30 Gy at 10 + 6 (1 - 30 / 50) = 12.4 mm and 10 Gy at 14.8 mm.
    assert inside[30.0] == pytest.approx(62.0, abs=2.0)
    assert inside[10.0] == pytest.approx(74.0, abs=2.0)
    assert inside[60.0] == 0.0
