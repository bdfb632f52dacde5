"""Ranges of values: closed forms for each cause, and verdicts that do not hold throughout."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from made_up_courses import a_box, a_cylinder, a_dose, a_protocol, a_review
from ReirradiationReviewLib.core.biology import eqd2_gy
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.organs.dvh import metric
from ReirradiationReviewLib.core.registration.course import CourseRegistration
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.review import Review
from ReirradiationReviewLib.core.uncertainty import (
    RegistrationError,
    UncertaintySettings,
    error_of,
    measured,
    moved_doses,
)
from ReirradiationReviewLib.core.uncertainty.registration_error import ErrorSamples
from ReirradiationReviewLib.core.volume import Volume

CORD = a_cylinder("SpinalCord")
PHYSICAL = {"quantity": "physical", "alpha_beta_gy": None, "model": None}
EXACT = RegistrationError(0.0, 0.0, 0.0)


def the_range(review, **settings):
    (found,) = review.uncertainty(UncertaintySettings(**settings))
    return found


def source(found, name):
    (result,) = [each for each in found.sources if each.name == name]
    return result


class TestAlphaBeta:
    def test_the_range_of_a_uniform_dose_is_that_of_the_published_values(self, tmp_path):
        # 0.87 and 3.7 Gy: Schultheiss 2008 and Jin 2015 for the cord.
        review = a_review(lambda x, y, z: 40.0, lambda x, y, z: 20.0, (CORD,), protocols=(a_protocol(tmp_path),))
        found = source(the_range(review, samples=0), "alpha_beta")
        ends = [eqd2_gy(40.0, 30, ab) + eqd2_gy(20.0, 5, ab) for ab in (0.87, 3.7)]
        assert (found.low, found.high) == (pytest.approx(min(ends), rel=1e-6), pytest.approx(max(ends), rel=1e-6))
        assert "this organ" in found.text

    def test_a_value_of_the_user_beyond_the_published_ones_widens_the_range(self, tmp_path):
        protocol = a_protocol(tmp_path, alpha_beta_gy=None)
        review = a_review(
            lambda x, y, z: 40.0,
            lambda x, y, z: 20.0,
            (CORD,),
            protocols=(protocol,),
            alpha_beta_gy={"SpinalCord": 8.0},
        )
        assert "0.87 to 8 Gy" in source(the_range(review, samples=0), "alpha_beta").text

    def test_an_organ_without_published_values_takes_those_of_late_effects_and_says_so(self, tmp_path):
        protocol = a_protocol(tmp_path, organs=["Larynx"], alpha_beta_gy=3)
        review = a_review(lambda x, y, z: 40.0, lambda x, y, z: 20.0, (a_cylinder("Larynx"),), protocols=(protocol,))
        assert "late effects in general" in source(the_range(review, samples=0), "alpha_beta").text

    def test_physical_dose_has_none(self, tmp_path):
        protocol = a_protocol(tmp_path, **PHYSICAL)
        review = a_review(lambda x, y, z: 40.0, lambda x, y, z: 20.0, (CORD,), protocols=(protocol,))
        assert [each.name for each in the_range(review, samples=0, search_mm=0).sources] == []


class TestRecovery:
    def test_a_discounted_row_says_what_no_recovery_would_mean(self, tmp_path):
        protocol = a_protocol(tmp_path, basis="discounted_vs_first")
        review = a_review(
            lambda x, y, z: 50.0, lambda x, y, z: 10.0, (CORD,), (25, 5), protocols=(protocol,),
            recovery={"SpinalCord": 0.5},
        )  # fmt: skip
        found = source(the_range(review, samples=0), "recovery")
        assert (found.low, found.high) == (pytest.approx(35.0, rel=1e-5), pytest.approx(60.0, rel=1e-5))

    def test_a_row_that_already_holds_recovery_in_its_limit_does_not_count_it_again(self, tmp_path):
        review = a_review(
            lambda x, y, z: 50.0, lambda x, y, z: 10.0, (CORD,), (25, 5), protocols=(a_protocol(tmp_path),),
            recovery={"SpinalCord": 0.5},
        )  # fmt: skip
        assert "recovery" not in [each.name for each in the_range(review, samples=0).sources]


class TestRegistrationErrors:
    def a_linear_review(self, tmp_path, first, second=lambda x, y, z: 0.0, **row):
        row = {"metric": "Dmean", "limit": 200} | PHYSICAL | row
        return a_review(first, second, (CORD,), protocols=(a_protocol(tmp_path, **row),))

    def test_without_error_nothing_moves(self, tmp_path):
        review = self.a_linear_review(tmp_path, lambda x, y, z: 40 + 0.4 * x, metric="D0.03cc")
        found = the_range(review, error=EXACT)
        moved = source(found, "registration_error")
        assert moved.low == pytest.approx(found.value, abs=1e-6) == moved.high

    def test_a_shift_in_a_linear_dose_moves_the_mean_by_the_gradient(self, tmp_path):
        review = self.a_linear_review(tmp_path, lambda x, y, z: 40 + 0.3 * x - 0.4 * y)
        error = RegistrationError(2.0, 0.0, 0.0)
        found = source(the_range(review, error=error, samples=4000), "registration_error")
        # The gradient is 0.5 Gy/mm, so the mean is normal with 1 Gy: its 5th and 95th percentiles are 1.645 Gy away.
        assert found.low == pytest.approx(40 - 1.645, abs=0.1)
        assert found.high == pytest.approx(40 + 1.645, abs=0.1)

    def test_a_turn_about_the_centre_leaves_the_mean_of_a_linear_dose(self, tmp_path):
        review = self.a_linear_review(tmp_path, lambda x, y, z: 40 + 0.3 * x)
        found = source(the_range(review, error=RegistrationError(0.0, 5.0, 0.0)), "registration_error")
        assert found.high - found.low < 0.1

    def test_a_turn_moves_the_far_ends(self, tmp_path):
        # Around an axis across the cord, its ends at z = +-31 mm move along x by 31 mm times the angle.
        review = self.a_linear_review(tmp_path, lambda x, y, z: 40 + 0.3 * x, metric="Dmax")
        still = the_range(review, error=EXACT).value
        found = source(the_range(review, error=RegistrationError(0.0, 5.0, 0.0), samples=1000), "registration_error")
        one_sd_gy = 0.3 * 31.5 * np.deg2rad(5.0)
        assert found.high - still == pytest.approx(1.96 * one_sd_gy, rel=0.25)

    def test_the_new_plan_does_not_move(self, tmp_path):
        review = self.a_linear_review(tmp_path, lambda x, y, z: 20.0, lambda x, y, z: 40 + 0.5 * x, metric="D0.03cc")
        found = the_range(review, error=RegistrationError(5.0, 5.0, 5.0))
        assert source(found, "registration_error").low == pytest.approx(found.value, abs=1e-4)
        assert source(found, "registration_error").high == pytest.approx(found.value, abs=1e-4)

    def test_a_row_about_the_new_plan_alone_has_no_registration_in_it(self, tmp_path):
        review = self.a_linear_review(tmp_path, lambda x, y, z: 20 + x, basis="current_only")
        assert [each.name for each in the_range(review).sources] == []

    def test_the_smooth_field_has_the_same_spread_everywhere_and_fades_with_distance(self):
        error = RegistrationError(0.0, 0.0, 3.0, correlation_mm=20.0)
        points = np.array([[0.0, 0.0, 0.0], [20.0, 0.0, 0.0], [0.0, 60.0, 0.0]])
        moved = [ErrorSamples.draw(error, 800, seed).moved(points, np.zeros(3), np.eye(4)) for seed in range(12)]
        field = np.concatenate([each[:, 1:] for each in moved], axis=1) - points.T[:, None]
        spread = field.std(axis=(0, 1))
        np.testing.assert_allclose(spread, 3.0, rtol=0.03)
        together = [float(np.mean(field[..., 0] * field[..., other])) / 9.0 for other in (1, 2)]
        # exp(-1/2) one correlation length apart, exp(-9/2) three apart; 32 waves leave some noise.
        assert together == [pytest.approx(np.exp(-0.5), abs=0.08), pytest.approx(np.exp(-4.5), abs=0.12)]

    def test_the_first_sample_is_no_error(self):
        errors = ErrorSamples.draw(RegistrationError(3.0, 3.0, 3.0), 5, 1)
        points = np.array([[10.0, 20.0, 30.0], [0.0, 5.0, 1.0]])
        np.testing.assert_allclose(errors.moved(points, points[0], np.eye(4))[:, 0].T, points, atol=1e-4)
        assert np.all(
            np.abs(errors.moved(points, points[0], np.eye(4))[:, 1:] - points.T[:, None]).max(axis=(0, 2)) > 0
        )

    def test_the_samples_that_are_followed_tell_what_all_would(self, tmp_path, monkeypatch):
        # 210 cc with the old target at the edge and the new one inside.
        metrics = {"D0.03cc": "Gy", "D2cc": "Gy", "Dmean": "Gy", "V40Gycc": "cc", "V55Gy%": "%"}
        rows = [{"id": name, "metric": name, "unit": unit, "limit": 100} for name, unit in metrics.items()]
        review = a_review(
            lambda x, y, z: 60 / (1 + np.exp((np.hypot(x - 30, y) - 20) / 4)) + 5,
            lambda x, y, z: 45 / (1 + np.exp((np.hypot(y - 10, z) - 15) / 3)),
            (a_box("SpinalCord", (-35, -30, -25), (35, 30, 25)),), (30, 15), protocols=(a_protocol(tmp_path, *rows),),
        )  # fmt: skip
        settings = UncertaintySettings(error=RegistrationError(2.0, 1.0, 2.0), samples=25, search_mm=0)
        followed = [source(found, "registration_error") for found in review.uncertainty(settings)]
        monkeypatch.setattr(moved_doses, "_STRATA", ((10**9, np.inf, 1.0),))
        of_all = [source(found, "registration_error") for found in review.uncertainty(settings)]
        for name, some, every in zip(metrics, followed, of_all, strict=True):
            width = every.high - every.low
            assert width > 0
            assert some.low == pytest.approx(every.low, abs=0.1 * width), name
            assert some.high == pytest.approx(every.high, abs=0.1 * width), name

    def test_the_same_seed_gives_the_same_range(self, tmp_path):
        review = self.a_linear_review(tmp_path, lambda x, y, z: 40 + 0.3 * x)
        assert the_range(review, seed=3) == the_range(review, seed=3)
        assert the_range(review, seed=3) != the_range(review, seed=4)

    def test_the_users_standard_deviation_is_that_of_every_point_along_every_axis(self, tmp_path):
        review = self.a_linear_review(tmp_path, lambda x, y, z: 40 + 0.3 * x)
        changed = review.with_settings(replace(review.settings, registration_sd_mm=2.0))
        error = changed.range_settings.error
        assert np.hypot(error.translation_sd_mm, error.deformation_sd_mm) == pytest.approx(2.0)
        assert error.mean_error_mm == pytest.approx(2.0 * 1.596, abs=0.01)
        text = source(changed.uncertainty()[0], "registration_error").text
        assert "3.2 mm on average" in text

    @pytest.mark.parametrize(("setting", "value"), [("registration_sd_mm", 200.0), ("search_mm", 50.0)])
    def test_settings_that_have_no_meaning_are_refused_at_once(self, tmp_path, setting, value):
        review = self.a_linear_review(tmp_path, lambda x, y, z: 40.0)
        with pytest.raises(ReirradiationError, match="mm"):
            review.with_settings(replace(review.settings, **{setting: value}))

    def test_a_negative_number_of_samples_is_refused(self):
        with pytest.raises(ReirradiationError, match="random registration errors"):
            UncertaintySettings(samples=-1)


class TestAnotherRegistration:
    def test_a_deformable_registration_is_compared_with_its_rigid_part(self, tmp_path):
        first, second = (lambda x, y, z: 30 + 0.5 * x), (lambda x, y, z: 10.0)
        plain = a_review(
            first, second, (CORD,), protocols=(a_protocol(tmp_path, metric="Dmean", limit=200, **PHYSICAL),)
        )
        shift = np.zeros((9, 9, 9, 3), dtype=np.float32)
        shift[..., 0] = 4.0
        field = Volume(shift, a_dose(lambda x, y, z: 0.0, spacing_mm=15.0).index_to_lps)
        deformed = CourseRegistration(SpatialTransform(np.eye(4), field), "file")
        review = Review(plain.courses, [deformed, plain.registrations[1]], plain.settings)
        found = source(the_range(review, samples=0), "registration_method")
        assert (found.low, found.high) == (pytest.approx(40.0, abs=0.02), pytest.approx(42.0, abs=0.02))

    def test_a_rigid_registration_alone_has_none_unless_one_is_given(self, tmp_path):
        protocol = a_protocol(tmp_path, metric="Dmean", limit=200, **PHYSICAL)
        review = a_review(lambda x, y, z: 30 + 0.5 * x, lambda x, y, z: 10.0, (CORD,), protocols=(protocol,))
        assert "registration_method" not in [each.name for each in the_range(review, samples=0).sources]
        shifted = np.eye(4)
        shifted[0, 3] = -6.0
        other = {0: SpatialTransform(shifted)}
        found = source(the_range(review, samples=0, other_transforms=other), "registration_method")
        assert (found.low, found.high) == (pytest.approx(37.0, abs=0.02), pytest.approx(40.0, abs=0.02))

    def test_the_review_can_hold_the_one_to_compare_with(self, tmp_path):
        protocol = a_protocol(tmp_path, metric="Dmean", limit=200, **PHYSICAL)
        review = a_review(lambda x, y, z: 30 + 0.5 * x, lambda x, y, z: 10.0, (CORD,), protocols=(protocol,))
        shifted = np.eye(4)
        shifted[0, 3] = -6.0
        others = [CourseRegistration(SpatialTransform(shifted), "file"), review.registrations[1]]
        (found,) = review.with_comparison(others).uncertainty()
        assert source(found, "registration_method").low == pytest.approx(37.0, abs=0.02)
        assert "compare with" in source(found, "registration_method").text


class TestTheWholeRange:
    def test_it_encloses_the_value_and_every_cause_and_names_the_widest_first(self, tmp_path):
        review = a_review(
            lambda x, y, z: 40 + 0.4 * x, lambda x, y, z: 15 + 0.2 * y, (CORD,), protocols=(a_protocol(tmp_path),)
        )
        found = the_range(review)
        assert found.low <= min(each.low for each in found.sources)
        assert found.high >= max(each.high for each in found.sources)
        assert found.low <= found.value <= found.high
        widest = max(found.sources, key=lambda each: each.high - each.low)
        assert found.why.startswith(widest.text)
        assert found.value == pytest.approx(review.constraints()[0].value)

    def test_a_verdict_that_flips_says_so(self, tmp_path):
        # 15 Gy in 30 and 20 Gy in 3 fractions: 52.7 Gy at alpha/beta 2, 59.7 Gy at 0.87.
        protocol = a_protocol(tmp_path)
        review = a_review(lambda x, y, z: 15.0, lambda x, y, z: 20.0, (CORD,), (30, 3), protocols=(protocol,))
        found = the_range(review)
        assert found.verdicts == ("pass", "fail")
        assert found.is_firm is False

    def test_one_that_holds_throughout_is_firm(self, tmp_path):
        review = a_review(lambda x, y, z: 10.0, lambda x, y, z: 5.0, (CORD,), protocols=(a_protocol(tmp_path),))
        assert the_range(review).verdicts == ("pass", "pass")
        assert the_range(review).is_firm is True

    def test_a_volume_to_be_spared_is_less_favorable_at_its_low_end(self, tmp_path):
        row = {"metric": "CV30Gycc", "limit": 9, "unit": "cc", "direction": ">=", "alpha_beta_gy": 2}
        review = a_review(
            lambda x, y, z: 30 + 0.8 * x,
            lambda x, y, z: 2.0,
            (CORD,),
            (15, 1),
            protocols=(a_protocol(tmp_path, **row),),
        )
        found = the_range(review)
        assert found.verdicts == ("pass", "fail")

    def test_where_a_dose_grid_ends_is_one_of_the_causes(self, tmp_path):
        review = a_review(lambda x, y, z: 30.0, lambda x, y, z: 10.0, (CORD,), protocols=(a_protocol(tmp_path),))
        plan = replace(review.courses[0].plans[0], dose=a_dose(lambda x, y, z: 30 - z, half_width_mm=20.0))
        courses = [replace(review.courses[0], plans=(plan,)), review.courses[1]]
        found = the_range(Review(courses, review.registrations, review.settings), samples=0)
        assert source(found, "dose_grid").high > source(found, "dose_grid").low

    def test_a_share_of_the_whole_moves_with_the_earlier_dose_alone(self, tmp_path):
        # HyTEC's third criterion: the new course's part of the cumulative dose, both EQD2 with alpha/beta 2.
        row = {"metric": "Dmax", "basis": "current_only", "relative_to": "cumulative_undiscounted", "limit": 0.5}
        protocol = a_protocol(tmp_path, unit="ratio", **row)
        shifted = np.eye(4)
        shifted[0, 3] = 10.0
        review = a_review(lambda x, y, z: 30 + 0.5 * x, lambda x, y, z: 20.0, (CORD,), (25, 5), protocols=(protocol,))
        found = the_range(review, samples=0, search_mm=0, other_transforms={0: SpatialTransform(shifted)})
        new_gy = eqd2_gy(20.0, 5, 2.0)
        shares = [new_gy / (eqd2_gy(earlier_gy, 25, 2.0) + new_gy) for earlier_gy in (40.0, 35.0)]
        other = source(found, "registration_method")
        assert (other.low, other.high) == (pytest.approx(shares[0], rel=0.01), pytest.approx(shares[1], rel=0.01))
        ends = [eqd2_gy(20.0, 5, ab) / (eqd2_gy(35.0, 25, ab) + eqd2_gy(20.0, 5, ab)) for ab in (0.87, 3.7)]
        biology = source(found, "alpha_beta")
        assert biology.low == pytest.approx(min(ends), rel=0.01)
        assert biology.high == pytest.approx(max(ends), rel=0.01)

    def test_a_disputed_row_has_a_range_but_no_verdict(self, tmp_path):
        protocol = a_protocol(tmp_path, status="disputed", caution="it is")
        review = a_review(lambda x, y, z: 36.0, lambda x, y, z: 16.0, (CORD,), protocols=(protocol,))
        assert the_range(review).verdicts is None
        assert the_range(review).is_firm is None

    def test_what_is_not_contoured_or_not_known_has_no_range(self, tmp_path):
        far = a_cylinder("SpinalCord", z_mm=(200, 240))
        review = a_review(lambda x, y, z: 36.0, lambda x, y, z: 16.0, (far,), protocols=(a_protocol(tmp_path),))
        assert review.uncertainty() == [None]
        without = a_review(lambda x, y, z: 36.0, lambda x, y, z: 16.0, (a_cylinder("Larynx"),))
        assert set(without.uncertainty()) == {None}


def test_many_doses_at_once_have_the_figures_of_each():
    from ReirradiationReviewLib.core.organs.dvh import dose_volume
    from ReirradiationReviewLib.core.uncertainty.organ_sums import figures_of_many

    random = np.random.default_rng(2)
    for size_cc in (1e-5, 1e-3, 0.1):
        totals = random.gamma(2.0, 15.0, (7, 900))
        volumes = random.uniform(0.2, 1.0, 900) * size_cc
        for name in ("D0.03cc", "D1cc", "D40%", "Dmean", "V20Gy%", "CV30Gycc", "Dmax"):
            expected = [metric(name)(dose_volume(total, volumes, 0.01)) for total in totals]
            np.testing.assert_allclose(figures_of_many(metric(name), totals, volumes, 0.01), expected, rtol=1e-12)


class TestTheErrorThatIsAssumed:
    def test_it_is_the_users_then_what_was_measured_then_what_is_usual(self):
        rigid = SpatialTransform()
        field = Volume(np.zeros((2, 2, 2, 3), dtype=np.float32), np.eye(4))
        deformable = SpatialTransform(np.eye(4), field)
        usual = UncertaintySettings()
        assert error_of(usual, rigid).error.mean_error_mm == pytest.approx(6.0, abs=0.1)
        assert error_of(usual, deformable).error.mean_error_mm == pytest.approx(2.5, abs=0.1)
        assert error_of(usual, rigid, 4.0).error.mean_error_mm == pytest.approx(4.0)
        own = UncertaintySettings(error=EXACT)
        assert error_of(own, rigid, 4.0).error is EXACT

    def test_contours_that_agree_do_not_make_it_smaller_than_that_of_a_deformable_one(self):
        found = error_of(UncertaintySettings(), SpatialTransform(), 0.3)
        assert found.error.mean_error_mm == pytest.approx(2.48, abs=0.02)
        assert "no less is taken" in found.basis

    def test_a_distance_across_the_surface_is_half_of_the_error(self):
        # Normal errors of 3 mm per axis: their part across a surface, and their length, by simulation.
        errors = np.random.default_rng(1).normal(0.0, 3.0, (200_000, 3))
        across, length = np.abs(errors[:, 0]).mean(), np.linalg.norm(errors, axis=1).mean()
        assert length / across == pytest.approx(measured._LENGTH_PER_DISTANCE, rel=0.01)
        assert RegistrationError(3.0, 0.0, 0.0).mean_error_mm == pytest.approx(length, rel=0.01)

    def test_what_is_measured_is_the_larger_of_contours_and_near_landmarks(self):
        def an_organ(structure, distance_mm, landmarks_mm):
            contours = None if distance_mm is None else SimpleNamespace(mean_distance_mm=distance_mm)
            near = None if landmarks_mm is None else SimpleNamespace(mean_mm=landmarks_mm)
            return SimpleNamespace(structure=structure, contours=contours, landmarks_near=near)

        organs = [
            an_organ("a", 1.5, None),
            an_organ("b", None, 2.0),
            an_organ("c", 1.5, 4.0),
            an_organ("d", None, None),
        ]
        found = measured.measured_errors_mm({0: SimpleNamespace(organs=organs)})
        assert found == {(0, "a"): 3.0, (0, "b"): 2.0, (0, "c"): 4.0}
