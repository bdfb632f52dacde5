"""The DVH plots draw the numbers they are given, and nothing where there are none."""

from __future__ import annotations

import re

import numpy as np
import pytest
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.report.dvh_plot import StructureCurves, dvh_svg, line_styles

pytest.importorskip("matplotlib")

DOSE_GY = np.array([0.0, 25.0, 50.0])
VOLUME_PERCENT = np.array([100.0, 80.0, 0.0])
CURVES = StructureCurves(
    "Cord", [("course 1", DOSE_GY / 2, VOLUME_PERCENT), ("composite", DOSE_GY, VOLUME_PERCENT)], (0, 128, 255)
)


def drawn_line(svg: str, width: str) -> np.ndarray:
    """Return the vertices, in page units, of the one curve drawn with a line width."""
    (path,) = re.findall(rf'<path d="([^"]*)" clip-path[^>]*stroke-width: {width}[;"]', svg)
    return np.array([[float(v) for v in pair] for pair in re.findall(r"[ML] ([\d.]+) ([\d.]+)", path)])


def test_the_plot_draws_the_numbers_it_is_given():
    svg = dvh_svg(CURVES, "dvh0")
    composite, course = drawn_line(svg, "2"), drawn_line(svg, "1.5")
    left, per_gy = composite[0, 0], (composite[2, 0] - composite[0, 0]) / 50.0
    bottom, per_percent = composite[2, 1], (composite[0, 1] - composite[2, 1]) / 100.0
    np.testing.assert_allclose(composite[:, 0], left + DOSE_GY * per_gy, atol=1e-3)
    np.testing.assert_allclose(composite[:, 1], bottom + VOLUME_PERCENT * per_percent, atol=1e-3)
    np.testing.assert_allclose(course[:, 0], left + DOSE_GY / 2 * per_gy, atol=1e-3)
    assert per_gy > 0 > per_percent


def test_the_composite_is_solid_and_courses_differ_by_dashes_not_only_by_colour():
    x = np.array([0.0, 1.0])
    five = StructureCurves("Heart", [(label, x, x) for label in ("course 1", "course 2", "course 3", "composite")])
    styles = {style.label: style for style in line_styles(five)}
    assert styles["composite"].dashes == ""
    assert len({style.dashes for style in styles.values()}) == 4
    assert len({style.colour for style in styles.values()}) == 4
    # A course keeps its look when another structure has other curves.
    assert styles["course 1"] == line_styles(StructureCurves("Cord", [("composite", x, x), ("course 1", x, x)]))[1]


def test_an_unknown_curve_is_not_drawn():
    nothing = np.array([])
    partly = StructureCurves("Cord", [("course 1", nothing, nothing), ("composite", DOSE_GY, VOLUME_PERCENT)])
    assert "stroke-width: 1.5" not in dvh_svg(partly, "dvh0")
    nan = StructureCurves("Cord", [("composite", np.array([0.0, np.nan]), np.array([100.0, 50.0]))])
    assert [style.known for style in line_styles(nan)] == [False]


def test_curves_that_do_not_fit_are_refused():
    bad = StructureCurves("Cord", [("composite", np.zeros(3), np.zeros(2))])
    with pytest.raises(ReirradiationError, match="Cord, composite: doses and volumes differ in number"):
        dvh_svg(bad, "dvh0")


def test_a_curve_of_very_many_points_stays_a_small_drawing():
    dose = np.linspace(0, 60, 200_000)
    assert len(dvh_svg(StructureCurves("Body", [("composite", dose, 100 - dose)]), "dvh0")) < 60_000
