"""What a constraint leaves: at the scale that is said to be the largest, the value is the limit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_courses import a_cylinder, a_dose, a_protocol, a_review
from ReirradiationReviewLib.core.biology import bed_gy, dose_of_bed_gy, eqd2_gy
from ReirradiationReviewLib.core.headroom import FRACTIONS, first_to_bind
from ReirradiationReviewLib.core.organs.dvh import metric
from ReirradiationReviewLib.core.prescriptions import course_prescriptions, target_doses
from ReirradiationReviewLib.core.row_cases import RowCase

CORD = a_cylinder("SpinalCord")


def falling(peak_gy, along=(1.0, 0.0, 0.0), gy_per_mm=0.5):
    return lambda x, y, z: np.maximum(peak_gy - gy_per_mm * np.abs(along[0] * x + along[1] * y + along[2] * z), 0)


def only_case(review):
    (case,) = review.row_cases()
    return case


def value_at_scale(review, scale):
    """Evaluate the row with the new plan's dose really scaled, mapped anew."""
    case = only_case(review)
    scaled = review.plans[1][1].dose.array * scale
    other = a_review(
        lambda x, y, z: review.plans[0][1].dose.array, lambda x, y, z: scaled, (CORD,), fractions=(30, 5),
        protocols=review.settings.protocols,
    )  # fmt: skip
    assert case.row == only_case(other).row
    return only_case(other).result().value


@pytest.mark.parametrize(
    ("row", "limit"),
    [
        ({"metric": "D0.03cc"}, 57),
        ({"metric": "D1cc", "quantity": "BED", "alpha_beta_gy": 3}, 100),
        ({"metric": "Dmean"}, 45),
        ({"metric": "D50%", "basis": "current_only"}, 20),
        ({"metric": "D0.1cc", "quantity": "physical", "alpha_beta_gy": None, "model": None}, 50),
    ],
)
def test_at_the_largest_scale_the_value_is_the_limit(tmp_path, row, limit):
    protocol = a_protocol(tmp_path, limit=limit, **row)
    review = a_review(falling(35), falling(20, (0.0, 1.0, 0.3)), (CORD,), protocols=(protocol,))
    (found,) = review.headroom()
    assert 0 < found.new_plan_scale < 10
    assert value_at_scale(review, found.new_plan_scale) == pytest.approx(limit, rel=1e-6)


@pytest.mark.parametrize(
    ("row", "worse"),
    [
        ({"metric": "V40Gy%", "limit": 30, "unit": "%"}, lambda value: value > 30),
        ({"metric": "V30Gycc", "limit": 5, "unit": "cc"}, lambda value: value > 5),
        ({"metric": "CV45Gycc", "limit": 12, "unit": "cc", "direction": ">="}, lambda value: value < 12),
    ],
)
def test_a_volume_reaches_its_limit_at_the_largest_scale(tmp_path, row, worse):
    protocol = a_protocol(tmp_path, **row)
    review = a_review(falling(35), falling(20, (0.0, 1.0, 0.3)), (CORD,), protocols=(protocol,))
    scale = review.headroom()[0].new_plan_scale
    assert 0 < scale < 10
    below, above = value_at_scale(review, scale * 0.999), value_at_scale(review, scale * 1.001)
    assert not worse(below)
    assert worse(above)
    # So small a step of scale moves the volume by little, so the limit lies where it is said to lie.
    assert below == pytest.approx(row["limit"], rel=0.02)


@pytest.mark.parametrize(
    "row",
    [
        {"metric": "D0.03cc"},
        {"metric": "Dmean", "limit": 50},
        {"metric": "V40Gy%", "limit": 30, "unit": "%"},
        {"metric": "CV45Gycc", "limit": 12, "unit": "cc", "direction": ">="},
    ],
)
def test_a_uniform_course_of_the_further_dose_uses_up_what_is_left(tmp_path, row):
    protocol = a_protocol(tmp_path, **row)
    review = a_review(falling(25), falling(10, (0.0, 1.0, 0.0)), (CORD,), protocols=(protocol,))
    found, case = review.headroom()[0], only_case(review)
    low = case.dose().low.all_samples
    for fractions in FRACTIONS:
        more_gy = eqd2_gy(found.further_gy[fractions], fractions, 2.0)
        assert more_gy == pytest.approx(found.left_gy)
    measure = metric(case.row.metric)
    for extra_gy, keeps in ((-0.05, True), (0.05, False)):
        raised = type(low)(low.dose_gy + found.left_gy + extra_gy, low.volumes_cc)
        assert case.row.holds(measure(raised)) is keeps


def test_published_numbers_of_a_cord(tmp_path):
    # HyTEC (domain 2.4.2): after 50 Gy in 25 fractions, 14 Gy in 3 or 11 Gy in 2 make 73.33 and 70.625 Gy at
    # alpha/beta 2, so that is what those limits would have left.
    for limit, fractions, dose_gy in ((73.0 + 1 / 3, 3, 14.0), (70.625, 2, 11.0)):
        left_gy = limit - 50.0
        assert dose_of_bed_gy(left_gy * 2, fractions, 2.0) == pytest.approx(dose_gy)
    protocol = a_protocol(tmp_path, limit=73.0 + 1 / 3)
    review = a_review(lambda x, y, z: 50.0, lambda x, y, z: 7.0, (CORD,), (25, 3), protocols=(protocol,))
    (found,) = review.headroom()
    assert found.instead_gy[3] == pytest.approx(14.0, rel=1e-6)
    assert found.new_plan_scale == pytest.approx(2.0, rel=1e-6)
    # What a full 14 Gy leaves on top of 7 Gy is less than 7 Gy: fractions of their own, so the square is not.
    assert found.further_gy[3] == pytest.approx(
        dose_of_bed_gy(2 * (23 + 1 / 3 - eqd2_gy(7.0, 3, 2.0)), 3, 2.0), rel=1e-6
    )


@given(st.floats(0.1, 200), st.integers(1, 40), st.floats(0.5, 15))
def test_the_dose_of_a_bed_is_the_inverse_of_the_bed_of_a_dose(dose_gy, fractions, alpha_beta_gy):
    there = bed_gy(dose_gy, fractions, alpha_beta_gy)
    assert dose_of_bed_gy(there, fractions, alpha_beta_gy) == pytest.approx(dose_gy, rel=1e-9)


def test_what_the_earlier_course_alone_breaks_leaves_nothing_for_the_new_plan():
    review = a_review(lambda x, y, z: 90.0, lambda x, y, z: 5.0, (CORD,))
    found = next(h for h, c in zip(review.headroom(), review.row_cases(), strict=True) if c.row.id == "cord_dmax")
    assert found.new_plan_scale == 0.0
    assert found.left_gy < 0
    assert set(found.further_gy.values()) == set(found.instead_gy.values()) == {0.0}


def test_a_plan_that_gives_the_organ_nothing_is_not_limited_by_it():
    review = a_review(lambda x, y, z: 30.0, lambda x, y, z: 0.0, (CORD,))
    found = next(h for h, c in zip(review.headroom(), review.row_cases(), strict=True) if c.row.id == "cord_dmax")
    assert found.new_plan_scale == math.inf
    assert found.left_gy > 0


def test_what_is_beyond_every_dose_grid_is_not_known():
    review = a_review(lambda x, y, z: 30.0, lambda x, y, z: 5.0, (a_cylinder("SpinalCord", z_mm=(200, 240)),))
    found = next(h for h, c in zip(review.headroom(), review.row_cases(), strict=True) if c.row.id == "cord_dmax")
    assert math.isnan(found.new_plan_scale)
    assert math.isnan(found.left_gy)
    assert all(math.isnan(dose_gy) for dose_gy in found.further_gy.values())


def test_where_a_grid_ends_the_less_favorable_bound_counts(tmp_path):
    protocol = a_protocol(tmp_path)
    full = a_review(lambda x, y, z: 20.0, falling(10), (CORD,), protocols=(protocol,))
    courses = list(full.courses)
    edge = a_dose(lambda x, y, z: 20.0 + 0.2 * z, half_width_mm=20.0)
    plan = type(courses[0].plans[0])(**{**vars(courses[0].plans[0]), "dose": edge})
    courses[0] = type(courses[0])(**{**vars(courses[0]), "plans": (plan,)})
    review = type(full)(courses, full.registrations, full.settings)
    (found,), case = review.headroom(), only_case(review)
    bounded = case.dose()
    assert bounded.incomplete_percent > 0
    assert found.left_gy == pytest.approx(57 - bounded.high.dose_at_volume_cc(0.03))


def test_where_what_lies_beyond_a_grid_decides_nothing_is_known_and_nothing_binds(tmp_path):
    # 18.8 cc of which 6.3 cc lie beyond both grids: 15 cc are spared if the dose at the edge goes on, else not.
    row = {"metric": "CV30Gycc", "limit": 15, "unit": "cc", "direction": ">="}
    review = a_review(
        lambda x, y, z: 5.0, lambda x, y, z: 5.0, (a_cylinder("SpinalCord", z_mm=(20.0, 80.0)),),
        protocols=(a_protocol(tmp_path, **row),),
    )  # fmt: skip
    (found,), case = review.headroom(), only_case(review)
    assert case.result().verdict == "unknown"
    assert math.isnan(found.new_plan_scale)
    assert math.isnan(found.left_gy)
    assert first_to_bind([found], [case.row]) is None


def test_the_row_that_binds_first_has_the_smallest_scale_and_is_not_disputed(tmp_path):
    review = a_review(
        falling(30), falling(15, (0.0, 1.0, 0.0)), (CORD, a_cylinder("Esophagus", 2), a_cylinder("Bowel", 3))
    )
    cases, found = review.row_cases(), review.headroom()
    first = first_to_bind(found, [case.row for case in cases])
    assert cases[first].row.id == "cord_dmax"
    others = [h.new_plan_scale for h, c in zip(found, cases, strict=True) if h and c.row.status != "disputed"]
    assert found[first].new_plan_scale == min(others)
    assert first_to_bind([None], [cases[0].row]) is None


def test_a_row_without_an_organ_has_no_headroom():
    review = a_review(falling(30), falling(15), (CORD,))
    assert [h is None for h in review.headroom()] == [case.organ is None for case in review.row_cases()]
    assert isinstance(review.row_cases()[0], RowCase)


class TestTheTarget:
    def test_each_prescription_is_converted_with_alpha_beta_ten(self):
        review = a_review(lambda x, y, z: 60.0, lambda x, y, z: 60.0, (CORD,), (30, 8), (60.0, 60.0))
        found = [course.eqd2_gy for course in course_prescriptions(review)]
        assert found == [pytest.approx(60.0), pytest.approx(87.5)]  # domain 3.2: 60/8 at alpha/beta 10

    def test_the_new_course_is_compared_with_the_first_prescription(self):
        target = a_cylinder("PTV_new", 4, kind="PTV")
        review = a_review(lambda x, y, z: 0.0, lambda x, y, z: 48.0, (CORD, target), (30, 4), (70.0, 48.0))
        (found,) = target_doses(review)
        assert (found.target, found.d95_gy, found.d50_gy) == ("PTV_new", pytest.approx(88.0), pytest.approx(88.0))
        first_gy = eqd2_gy(70.0, 30, 10.0)
        assert found.share_of_first == pytest.approx(88.0 / first_gy)

    def test_a_missing_prescription_is_unknown(self):
        review = a_review(
            lambda x, y, z: 0.0, lambda x, y, z: 48.0, (a_cylinder("PTV", kind="PTV"),), (30, 4), (None, 48.0)
        )
        assert math.isnan(course_prescriptions(review)[0].eqd2_gy)
        assert math.isnan(target_doses(review)[0].share_of_first)
