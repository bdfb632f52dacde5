"""What the panels show of a review, as plain values for the page's templates."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.constraints import ConstraintResult
from ..core.headroom import Headroom
from ..core.organ_dose import OrganDose
from ..core.protocols import list_protocols
from ..core.results.courses import course_entry
from ..core.results.hot_spots import hot_spot_entry
from ..core.review import Review
from ..scene.geometry import to_ras

# Every verdict in words and by a sign, because colours are not the only sign; the most urgent first.
VERDICTS = {
    "fail": ("✕", "breaks"),
    "near": ("▲", "near"),
    "unknown": ("?", "unknown"),
    "pass": ("✓", "keeps"),
    "note": ("i", "note"),
}
BASES = {
    "cumulative_undiscounted": "all courses",
    "discounted_vs_first": "all courses, recovery counted",
    "current_only": "new plan only",
}
_CURVE_POINTS = 140
_DASHES = ("6 3", "2 3", "8 2 2 2", "1 2")  # of the courses' own curves
_NOT_KNOWN = "–"


def course_rows(review: Review) -> list[dict[str, Any]]:
    """Return the courses with their plans."""
    return [_course_row(review, index) for index in range(len(review.courses))]


def _course_row(review: Review, index: int) -> dict[str, Any]:
    entry = course_entry(review, index)
    months = entry["interval_to_reference_months"]
    is_reference = index == review.reference_index
    return {
        "index": index,
        "label": entry["label"],
        "date": entry["date"] or "date unknown",
        "interval": "" if is_reference or months is None else f", {months:.0f} months before",
        "is_reference": is_reference,
        "is_on": index not in review.settings.left_out,
        "plans": [
            {
                "label": plan["label"],
                "modality": plan["modality"],
                "fractions": plan["fractions"],
                "fractions_source": f"from {plan['fractions_source']}",
                "prescription": f"{plan['prescription_gy']:g} Gy" if plan["prescription_gy"] else "",
                "dose_max": f"{plan['dose_max_gy']:.1f} Gy",
            }
            for plan in entry["plans"]
        ],
    }


def biology_rows(review: Review) -> dict[str, Any]:
    """Return the biological settings: of the picture, and of each organ."""
    return {
        "display_alpha_beta_gy": review.settings.display_alpha_beta_gy,
        "organs": [
            {
                "name": organ.name,
                "tg263": organ.match.tg263 or "no TG-263 name found",
                "alpha_beta_gy": organ.alpha_beta_gy,
                "source": organ.alpha_beta_source,
                "recovery": max(organ.recovery, default=0.0),
                "is_target": organ.match.is_target,
                "colour": css_colour(organ.structure.colour),
            }
            for organ in review.organs
        ],
    }


def protocol_rows(review: Review) -> list[dict[str, Any]]:
    """Return the constraint sets that ship with the module, and those in use that do not."""
    chosen = {protocol.id for protocol in review.protocols}
    known = {protocol.id: protocol for protocol in (*list_protocols(), *review.protocols)}
    return [{"id": each.id, "title": each.title, "is_on": each.id in chosen} for each in known.values()]


def constraint_rows(results: Sequence[ConstraintResult]) -> list[dict[str, Any]]:
    """Return the constraints, most urgent first; rows whose organ is not contoured come last."""
    return [constraint_row(result) for result in sorted(results, key=_urgency)]


def _urgency(result: ConstraintResult) -> tuple[bool, int, float]:
    left = result.headroom / abs(result.limit) if result.limit else result.headroom
    return result.structure is None, list(VERDICTS).index(result.verdict), math.inf if math.isnan(left) else left


def constraint_key(result: ConstraintResult) -> str:
    """Return what tells a row from all others."""
    return "/".join([result.protocol, result.id, result.structure or ""])


def constraint_row(result: ConstraintResult) -> dict[str, Any]:
    """Return one row of the table."""
    sign, word = VERDICTS[result.verdict]
    alpha_beta = "" if result.alpha_beta_gy is None else f" α/β {result.alpha_beta_gy:g}"
    return {
        "key": constraint_key(result),
        "verdict": result.verdict,
        "sign": sign,
        "word": word if result.structure is not None else "no contour",
        "organ": result.structure or result.organs,
        "metric": result.metric,
        "basis": f"{result.quantity}{alpha_beta}, {BASES.get(result.basis, result.basis)}",
        "value": number(result.value, result.unit),
        "limit": f"{result.direction} {result.limit:g} {result.unit}",
        "headroom": number(result.headroom, result.unit, signed=True),
        "status": result.status,
        "source": result.source,
        "message": result.message,
        "can_jump": result.structure is not None,
    }


def tally(results: Sequence[ConstraintResult]) -> str:
    """Return how many rows have which verdict, in words."""
    evaluated = [result for result in results if result.structure is not None]
    counts = [(sum(result.verdict == verdict for result in evaluated), VERDICTS[verdict][1]) for verdict in VERDICTS]
    return ", ".join(f"{count} {word}" for count, word in counts if count)


def focus(review: Review, result: ConstraintResult, left: Headroom | None) -> dict[str, Any]:
    """Return one constraint in full, with each course's share at the organ's hottest point."""
    organ = next(each for each in (*review.organs, *review.wholes) if each.name == result.structure)
    spot = hot_spot_entry(review, organ)
    return {
        "key": constraint_key(result),
        "title": f"{organ.name}: {result.metric} {result.direction} {result.limit:g} {result.unit}",
        "lines": [
            line for line in (result.message, _left_text(left), f"Source: {result.source} ({result.status})") if line
        ],
        "where": _where_text(spot, organ),
        "shares": [
            {
                "label": share["course"],
                "text": "unknown" if share["dose_gy"] is None else f"{share['dose_gy']:.1f} Gy",
                "percent": 0
                if share["dose_gy"] is None
                else round(100 * share["dose_gy"] / max(spot["dose_gy"], 1e-9)),
            }
            for share in spot["shares"]
        ],
        "position_lps_mm": spot["position_lps_mm"],
    }


def _where_text(spot: Mapping[str, Any], organ: OrganDose) -> str:
    if spot["position_lps_mm"] is None:
        return "No dose is known in this organ."
    r, a, s = to_ras(np.array(spot["position_lps_mm"])).tolist()
    elsewhere = spot["elsewhere_cc"]
    several = f"; another {elsewhere:.2g} cc as hot lie elsewhere" if elsewhere > 0 else ""
    return (
        f"Hottest {spot['volume_cc']:.2g} cc: {spot['dose_gy']:.1f} Gy EQD2 (α/β {organ.alpha_beta_gy:g} Gy) at "
        f"{'R' if r > 0 else 'L'} {abs(r):.0f}, {'A' if a > 0 else 'P'} {abs(a):.0f}, "
        f"{'S' if s > 0 else 'I'} {abs(s):.0f} mm{several}"
    )


def _left_text(left: Headroom | None) -> str:
    if left is None or math.isnan(left.left_gy) or math.isinf(left.left_gy):
        return ""
    if left.left_gy < 0:
        return f"{-left.left_gy:.1f} Gy beyond the limit."
    scale = "" if math.isinf(left.new_plan_scale) else f" The new plan could be scaled by {left.new_plan_scale:.2f}."
    return f"{left.left_gy:.1f} Gy are left.{scale}"


def dvh(review: Review, chosen: Collection[str], shows_courses: bool) -> dict[str, Any]:
    """Return the DVH of EQD2 of the chosen organs: composite, and each course by itself where asked for."""
    curves = []
    for organ in review.organs:
        if organ.name in chosen:
            curves.append(_curve(organ, organ.name, review.weights(), ""))
            if shows_courses:
                curves += [
                    _curve(
                        organ, f"{organ.name}, {course.label}", review.weights([index]), _DASHES[index % len(_DASHES)]
                    )
                    for index, course in enumerate(review.courses)
                ]
    known = [curve for curve in curves if curve is not None]
    return {
        "curves": known,
        "max_dose_gy": max([10.0, *(curve["last"] for curve in known)]) * 1.02,
        "quantity": "EQD2 (Gy), each organ with its own alpha/beta",
        "shows_courses": shows_courses,
        "organs": [
            {"name": organ.name, "colour": css_colour(organ.structure.colour), "is_on": organ.name in chosen}
            for organ in review.organs
        ],
    }


def _curve(organ: OrganDose, label: str, weights: Any, dash: str) -> dict[str, Any] | None:
    dose = organ.eqd2(weights).low
    dose_gy, volume_cc = dose.curve(_CURVE_POINTS)
    if not len(dose_gy) or dose_gy[-1] <= 0:
        return None
    return {
        "key": f"{label}/{dash}",
        "organ": organ.name,
        "label": label,
        "colour": css_colour(organ.structure.colour),
        "dash": dash,
        "last": float(dose_gy[-1]),
        # Per mille as whole numbers: a tenth of the bytes of float64, and finer than the line is drawn.
        "volumes": np.rint(volume_cc / dose.total_volume_cc * 1000).astype(int).tolist(),
    }


def first_choice_of_organs(review: Review) -> set[str]:
    """Return the organs that a rule is about and the targets: what the DVH shows at first."""
    with_rules = {result.structure for result in review.constraints()}
    return {organ.name for organ in review.organs if organ.name in with_rules or organ.match.is_target}


def number(value: float, unit: str, *, signed: bool = False) -> str:
    """Return a number with its unit, to a tenth; a dash where it is not known."""
    if math.isnan(value):
        return _NOT_KNOWN
    text = f"{value:+.1f}" if signed else f"{value:.1f}"
    return f"{text.replace('-', '−')} {unit}"


def css_colour(colour: Sequence[int]) -> str:
    """Return a colour of 0 to 255 for a style sheet."""
    return "#" + "".join(f"{part:02x}" for part in colour)
