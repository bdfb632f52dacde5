"""Ranges on a two-course head-and-neck case hold what the true deformation and the true rigid transform give."""

from __future__ import annotations

import json

import numpy as np
import pytest
from made_up_courses import a_protocol
from ReirradiationReviewLib.core.dicom import read_course
from ReirradiationReviewLib.core.registration.course import register_courses
from ReirradiationReviewLib.core.registration.files import write_transform
from ReirradiationReviewLib.core.registration.qa.of_review import assess_review
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.review import Review
from ReirradiationReviewLib.core.settings import Settings

pytestmark = pytest.mark.slow

ORGANS = {
    "BRAINSTEM": "Brainstem", "Esophagus": "Esophagus", "Parotid L": "Parotid_L", "Parotid R": "Parotid_R",
    "Larynx": "Larynx", "Mandible": "Bone_Mandible", "Spinal_Cord": "SpinalCord",
}  # fmt: skip
# The truth counts whole voxels of 3.9 mm, the review has contours: under one and the same transform the figures of one
# organ differ by up to so much.
FIGURES = {"D1cc": ("D1.0cc", 0.8), "Dmean": ("mean", 0.3)}


@pytest.fixture(scope="module")
def case(data_dir):
    return data_dir / "reirr_hn"


@pytest.fixture(scope="module")
def truth(case):
    return json.loads((case / "truth.json").read_text())


@pytest.fixture(scope="module", params=["rigid", "deformable"])
def review(request, case, truth, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    transform = case / "truth_dvf_c2_to_c1.mha"
    if request.param == "rigid":
        transform = folder / "true_rigid.tfm"
        write_transform(transform, SpatialTransform(np.array(truth["transform"]["M21_course2_to_course1"])))
    courses = [read_course(case / f"course{number}", f"course {number}") for number in (1, 2)]
    rows = [
        {
            "id": f"{name} {metric}", "label": name, "organs": [tg263], "metric": metric, "limit": 200,
            "alpha_beta_gy": truth["structures"][name]["alpha_beta"],
        }
        for name, tg263 in ORGANS.items()
        for metric in FIGURES
    ]  # fmt: skip
    settings = Settings(protocols=(a_protocol(folder, *rows),))
    return assess_review(Review(courses, register_courses(courses, 1, [str(transform)]), settings))


def test_the_range_of_every_organ_holds_the_rigid_and_the_true_deformable_value(review, truth):
    for case, found in zip(review.row_cases(), review.uncertainty(), strict=True):
        key, mask_gy = FIGURES[case.row.metric]
        entry = truth["structures"][case.organ.name]
        for what in ("sum_eqd2_rigid_only", "sum_eqd2_recovery0"):
            assert found.low - mask_gy <= entry[what][key] <= found.high + mask_gy, (case.row.id, what)


def test_the_range_is_narrower_than_the_organs_own_spread_of_dose(review):
    # A range that holds everything says nothing.
    for case, found in zip(review.row_cases(), review.uncertainty(), strict=True):
        dose = case.dose().low
        assert found.high - found.low < 0.8 * (dose.dmax_gy - dose.dmin_gy), case.row.id


def test_the_error_is_the_larger_the_worse_contours_agree(review):
    found = {case.organ.name: span for case, span in zip(review.row_cases(), review.uncertainty(), strict=True)}
    texts = {
        name: next(source.text for source in span.sources if source.name == "registration_error")
        for name, span in found.items()
    }
    assert all("contours and landmarks here" in text for text in texts.values())
    mean_mm = {name: float(text.split("error of ")[1].split(" mm")[0]) for name, text in texts.items()}
    if review.registrations[0].transform.displacement is None:
        assert mean_mm["Esophagus"] > mean_mm["Spinal_Cord"]
