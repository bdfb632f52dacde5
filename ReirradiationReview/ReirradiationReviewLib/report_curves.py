"""The dose-volume histograms that the report draws."""

from __future__ import annotations

from .core.functional_maps import WeightedOrgan
from .core.report.dvh_plot import StructureCurves
from .core.review import Review


def dose_curves(review: Review, points: int = 200) -> list[StructureCurves]:
    """Return each structure's DVH of EQD2, per course and composite, for the report's plot."""
    result = []
    for organ in review.organs:
        sums = [(course.label, review.weights([index])) for index, course in enumerate(review.courses)]
        sums.append(("composite", review.weights()))
        curves = []
        for label, weights in sums:
            dose = organ.eqd2(weights).low
            dose_gy, volume_cc = dose.curve(points)
            curves.append((label, dose_gy, volume_cc / dose.total_volume_cc * 100.0))
        result.append(StructureCurves(organ.name, curves, organ.structure.colour))
    return result


def functional_curves(weighted: WeightedOrgan, points: int = 200) -> StructureCurves:
    """Return an organ's DVH of the composite EQD2, plain and weighted by function."""
    dose = weighted.composite_eqd2
    curves = []
    for label, each in (("composite, plain", dose.plain), ("composite, by function", dose.weighted)):
        dose_gy, volume_cc = each.curve(points)
        curves.append((label, dose_gy, volume_cc / each.total_volume_cc * 100.0))
    name = f"{weighted.organ.name}, by {weighted.map.name}"
    return StructureCurves(name, curves, weighted.organ.structure.colour, weighted.organ.alpha_beta_gy)
