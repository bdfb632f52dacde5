"""Where an organ is hottest: place, shares and distance to the grid's edge in doses whose peak is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from made_up_courses import a_box, a_cylinder, a_review
from ReirradiationReviewLib.core.biology import eqd2_gy
from ReirradiationReviewLib.core.hot_spots import HOT_CC, edge_distance_mm, hot_spot
from ReirradiationReviewLib.core.results.document import review_document

PEAK_MM = np.array([4.0, -3.0, 10.0])


def around_the_peak(x, y, z):
    return 50 - 0.2 * ((x - PEAK_MM[0]) ** 2 + (y - PEAK_MM[1]) ** 2 + (z - PEAK_MM[2]) ** 2) ** 0.5


@pytest.fixture(scope="module")
def review():
    return a_review(
        around_the_peak, lambda x, y, z: 20.0, (a_cylinder("SpinalCord"), a_cylinder("Larynx", 2, z_mm=(200, 240))),
        (30, 10),
    )  # fmt: skip


def test_its_centre_is_at_the_peak_and_its_volume_is_that_of_the_near_maximum(review):
    spot = hot_spot(review, review.organ("SpinalCord"))
    np.testing.assert_allclose(spot.centre_lps, PEAK_MM, atol=0.5)
    assert spot.volume_cc == pytest.approx(HOT_CC, rel=0.1)
    assert spot.elsewhere_cc == 0.0


def test_the_shares_are_each_plans_eqd2_there_and_add_up(review):
    spot = hot_spot(review, review.organ("SpinalCord"))
    first, second = (share.eqd2_gy for share in spot.shares)
    assert second == pytest.approx(eqd2_gy(20.0, 10, 2.0), rel=1e-5)
    assert first == pytest.approx(eqd2_gy(49.7, 30, 2.0), abs=0.3)
    assert first + second == pytest.approx(spot.mean_gy, rel=1e-9)
    assert spot.lowest_gy <= spot.mean_gy


def test_the_distance_to_the_edge_is_measured_to_the_nearest_face_and_is_negative_outside(review):
    field = review.mapped.fields[0]  # from -60 to 60 mm along every axis
    assert edge_distance_mm(field, np.array([50.0, 0.0, 0.0])) == pytest.approx(10.0)
    assert edge_distance_mm(field, np.array([0.0, 0.0, -63.0])) == pytest.approx(-3.0)
    assert edge_distance_mm(field, np.array([63.0, 64.0, 0.0])) == pytest.approx(-5.0)
    spot = hot_spot(review, review.organ("SpinalCord"))
    assert spot.shares[0].edge_mm == pytest.approx(60 - 10.0, abs=0.6)


def test_an_organ_without_known_dose_has_none(review):
    assert hot_spot(review, review.organ("Larynx")) is None
    entries = json.loads(json.dumps(review_document(review)["hot_spots"], allow_nan=False))
    assert entries[1]["position_lps_mm"] is None
    assert {plan["plan"] for plan in entries[0]["plans"]} == {"plan of course 1", "plan of course 2"}


def test_of_one_that_lies_in_several_places_the_place_of_the_hottest_point_is_said():
    two_peaks = a_review(
        lambda x, y, z: 50 - 0.1 * np.minimum(np.abs(z - 20), np.abs(z + 20) + 0.01), lambda x, y, z: 0.0,
        (a_box("SpinalCord", (-2, -2, -30), (2, 2, 30)),),
    )  # fmt: skip
    (entry,) = review_document(two_peaks)["hot_spots"]
    assert entry["position_lps_mm"][2] == pytest.approx(20.0, abs=1.0)
    assert entry["elsewhere_cc"] > 0.005
    assert entry["volume_cc"] + entry["elsewhere_cc"] == pytest.approx(HOT_CC, rel=0.1)
