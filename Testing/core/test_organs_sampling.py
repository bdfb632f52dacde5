"""Organs sampled from contours have the volume and the dose of the bodies the contours were cut from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn
from ReirradiationReviewLib.core.courses import Structure
from ReirradiationReviewLib.core.dicom import read_course
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.organs.dvh import dose_volume, metric
from ReirradiationReviewLib.core.organs.sampling import sample_organ
from ReirradiationReviewLib.core.volume import sample_linear

RADIUS, HEIGHT, CENTRE_GY = 12.0, 24.0, 20.0


def a_circle(radius, z, centre=(0.0, 0.0), count=180):
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.column_stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle), np.full(count, z)])


def a_structure(contours, name="organ"):
    return Structure(name, 1, tuple(contours))


@dataclass(frozen=True)
class Body:
    """A body of revolution about z: its radius at z, and its volume."""

    radius: object
    volume_cc: float


BODIES = {
    "sphere": Body(lambda z: np.sqrt(max(RADIUS**2 - z**2, 0.0)), 4 / 3 * np.pi * RADIUS**3 / 1000),
    "cylinder": Body(lambda z: RADIUS, np.pi * RADIUS**2 * HEIGHT / 1000),
    "cone": Body(lambda z: RADIUS * (RADIUS - z) / HEIGHT, np.pi * RADIUS**2 * HEIGHT / 3000),
}


def contours_of(body, spacing_mm):
    planes = np.arange(-RADIUS, RADIUS + 1e-6, spacing_mm)
    return [a_circle(body.radius(z), z) for z in planes if body.radius(z) > 0.4]


def true_curve(shape, axis, dose_gy):
    """Return V(D) / V where dose is 20 Gy + 1 Gy/mm along an axis; closed forms, the cone across numerically."""
    t = np.clip((dose_gy - CENTRE_GY) / RADIUS, -1, 1)
    cap = (np.arccos(t) - t * np.sqrt(1 - t**2)) / np.pi
    if shape == "sphere":
        return (2 - 3 * t + t**3) / 4
    if shape == "cylinder":
        return (1 - t) / 2 if axis == "SI" else cap
    if axis == "SI":
        return ((1 - t) / 2) ** 3
    radii = RADIUS * (np.arange(4000) + 0.5) / 4000
    across = np.clip((dose_gy[:, None] - CENTRE_GY) / radii, -1, 1)
    share = (np.arccos(across) - across * np.sqrt(1 - across**2)) / np.pi
    return (share * radii**2).sum(axis=1) / (radii**2).sum()


@pytest.mark.parametrize("axis", ["AP", "SI"])
@pytest.mark.parametrize("spacing_mm", [1.0, 3.0])
@pytest.mark.parametrize("shape", list(BODIES))
class TestAnalyticBodies:
    def a_dose_volume(self, shape, spacing_mm, axis):
        samples = sample_organ(a_structure(contours_of(BODIES[shape], spacing_mm)))
        along = samples.points_lps[:, 2] if axis == "SI" else samples.points_lps[:, 1]
        return dose_volume(CENTRE_GY + along, samples.volumes_cc)

    def test_volume_and_curve_within_one_percent(self, shape, spacing_mm, axis):
        dose = self.a_dose_volume(shape, spacing_mm, axis)
        assert dose.total_volume_cc == pytest.approx(BODIES[shape].volume_cc, rel=0.01)
        levels = np.linspace(8.2, 31.8, 60)
        found = np.array([dose.volume_percent_at_dose(level) for level in levels]) / 100
        np.testing.assert_allclose(found, true_curve(shape, axis, levels), atol=0.01)

    def test_near_maximum_and_mean(self, shape, spacing_mm, axis):
        dose = self.a_dose_volume(shape, spacing_mm, axis)
        levels = np.linspace(8.0, 32.0, 4801)
        curve = true_curve(shape, axis, levels)
        near_maximum = np.interp(-0.03 / BODIES[shape].volume_cc, -curve, levels)
        assert dose.dose_at_volume_cc(0.03) == pytest.approx(near_maximum, abs=0.2)
        mean = 8.0 + np.trapezoid(curve, levels)
        assert dose.dmean_gy == pytest.approx(mean, abs=0.1)


@pytest.mark.parametrize("grid_mm", [1, 2, 3])
@pytest.mark.parametrize("case", ["ct1mm_AP", "ct1mm_SI", "ct3mm_AP", "ct3mm_SI"])
def test_the_written_analytic_cases(data_dir, tmp_path, case, grid_mm):
    folder = tmp_path / "one dose"
    folder.mkdir()
    for file in (data_dir / "analytic" / case).iterdir():
        if not file.name.startswith("RD") or file.name == f"RD_{grid_mm}mm.dcm":
            (folder / file.name).write_bytes(file.read_bytes())
    course = read_course(folder, "course 1")
    truth = json.loads((data_dir / "analytic" / "truth.json").read_text())[case]["shapes"]
    levels = np.linspace(8.2, 31.8, 60)
    for structure in course.structures:
        samples = sample_organ(structure)
        dose_gy, inside = sample_linear(course.plans[0].dose, samples.points_lps)
        dose = dose_volume(dose_gy, samples.volumes_cc)
        assert inside.all()
        assert dose.total_volume_cc == pytest.approx(truth[structure.name]["volume_cc"], rel=0.01)
        assert dose.dmean_gy == pytest.approx(truth[structure.name]["mean"], abs=0.1)
        found = np.array([dose.volume_percent_at_dose(level) for level in levels]) / 100
        np.testing.assert_allclose(found, true_curve(structure.name, case[-2:], levels), atol=0.01)


def test_a_hole_is_left_out_however_it_is_drawn():
    planes = np.arange(0.0, 31.0, 3.0)
    two = [a_circle(radius, z) for z in planes for radius in (25.0, 12.0)]
    # The key-hole: out along the outer circle, in along a cut, back along the inner circle.
    keyhole = [
        np.vstack([a_circle(25.0, z), a_circle(25.0, z)[:1], a_circle(12.0, z)[:1], a_circle(12.0, z)[::-1]])
        for z in planes
    ]
    ring_cc = np.pi * (25.0**2 - 12.0**2) * 30.0 / 1000
    for contours in (two, keyhole):
        samples = sample_organ(a_structure(contours))
        assert samples.volume_cc == pytest.approx(ring_cc, rel=0.01)
        assert np.linalg.norm(samples.points_lps[:, :2], axis=1).min() > 11.0


def test_two_parts_are_both_counted():
    planes = np.arange(0.0, 31.0, 3.0)
    parts = [a_circle(10.0, z, centre) for z in planes for centre in ((-30.0, 0.0), (30.0, 0.0))]
    samples = sample_organ(a_structure(parts))
    assert samples.volume_cc == pytest.approx(2 * np.pi * 100 * 30 / 1000, rel=0.01)
    assert samples.volumes_cc[samples.points_lps[:, 0] > 0].sum() == pytest.approx(samples.volume_cc / 2, rel=0.01)


def test_tilted_planes_give_the_same_organ():
    angle = np.radians(20.0)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    upright = contours_of(BODIES["sphere"], 3.0)
    straight = sample_organ(a_structure(upright))
    tilted = sample_organ(a_structure([contour @ turn.T for contour in upright]))
    assert tilted.volume_cc == pytest.approx(straight.volume_cc, rel=0.002)
    np.testing.assert_allclose(np.average(tilted.points_lps, axis=0, weights=tilted.volumes_cc), 0.0, atol=0.05)


def test_an_oblique_organ_does_not_get_thinner_between_planes():
    slanted = [a_circle(5.0, z, centre=(1.0 * z, 0.0)) for z in np.arange(0.0, 91.0, 3.0)]
    assert sample_organ(a_structure(slanted)).volume_cc == pytest.approx(np.pi * 25 * 90 / 1000, rel=0.01)


def test_one_plane_has_the_thickness_of_a_slice_and_says_so():
    samples = sample_organ(a_structure([a_circle(10.0, 5.0)]), slice_thickness_mm=3.0)
    assert samples.volume_cc == pytest.approx(np.pi * 100 * 3 / 1000, rel=0.01)
    assert samples.notices[0].code == "single-plane-structure"
    with pytest.raises(ReirradiationError, match="one plane"):
        sample_organ(a_structure([a_circle(10.0, 5.0)]))


def test_contours_without_area_are_refused():
    with pytest.raises(ReirradiationError, match=r"\(3006,0050\)"):
        sample_organ(a_structure([np.zeros((3, 3))]))


def test_splitting_keeps_the_volume_and_the_place():
    samples = sample_organ(a_structure(contours_of(BODIES["sphere"], 3.0)))
    wanted = samples.points_lps[:, 0] > 5.0
    points, volumes = samples.split(wanted)
    assert volumes.sum() == pytest.approx(samples.volumes_cc[wanted].sum())
    assert len(points) == 27 * wanted.sum()


DOSES = stn.arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 120))


@given(DOSES, st.floats(0, 130))
def test_what_receives_a_dose_and_what_is_spared_make_the_whole(dose_gy, level):
    dose = dose_volume(dose_gy, np.full(len(dose_gy), 0.25), unknown_volume_cc=1.0)
    whole = dose.volume_cc_at_dose(level) + dose.spared_volume_cc_at_dose(level)
    assert whole == pytest.approx(dose.known_volume_cc)
    assert dose.total_volume_cc == pytest.approx(dose.known_volume_cc + 1.0)


@given(DOSES)
def test_doses_at_volumes_fall_and_stay_between_minimum_and_maximum(dose_gy):
    dose = dose_volume(dose_gy, np.full(len(dose_gy), 0.25))
    found = [dose.dose_at_volume_cc(volume) for volume in np.linspace(0, 20, 30)]
    assert all(a >= b for a, b in pairwise(found))
    assert dose.dmin_gy <= found[-1]
    assert found[0] <= dose.dmax_gy


@pytest.mark.parametrize("name", ["Dmin", "Dmean", "Dmax", "D0.03cc", "D2%", "D95%"])
def test_a_uniform_dose_is_every_dose_metric(name):
    assert metric(name)(dose_volume(np.full(50, 33.0), np.full(50, 0.1))) == pytest.approx(33.0)


def test_nothing_known_is_nan_and_not_zero():
    dose = dose_volume(np.empty(0), np.empty(0), unknown_volume_cc=5.0)
    for name in ("Dmin", "Dmean", "Dmax", "D0.03cc", "D2%", "V20Gy%", "V20Gycc", "CV15Gycc"):
        assert np.isnan(metric(name)(dose)), name


def test_a_metric_that_is_none_is_refused():
    with pytest.raises(ReirradiationError, match=r"D0\.03cc"):
        metric("D1ml")
