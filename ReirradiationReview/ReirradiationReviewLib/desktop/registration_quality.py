"""The quality of a registration in words and rows."""

from __future__ import annotations

from slicer.i18n import tr as _

from ..core.registration.course import CourseRegistration
from ..core.registration.qa.limits import Check, Verdict
from ..core.registration.qa.quality import OrganQuality, RegistrationQuality
from .tables import Cell

_WORDS: dict[Verdict, str] = {
    "good": _("✓ good"),
    "caution": _("! caution"),
    "do not use": _("✗ do not use"),
    "unknown": _("? unknown"),
}
_COLORS: dict[Verdict, tuple[int, int, int]] = {
    "good": (190, 230, 190),
    "caution": (255, 220, 150),
    "do not use": (255, 180, 180),
    "unknown": (215, 215, 215),
}
_WORST_FIRST: tuple[Verdict, ...] = ("do not use", "caution", "unknown", "good")


def qualitySentence(quality: RegistrationQuality) -> str:
    """Return the verdict on a registration and on how many organs it is not to be used for, HTML."""
    text = _("Quality: <b>{verdict}</b>").format(verdict=_WORDS[quality.verdict])
    if quality.reasons:
        text += _(" ({reasons})").format(reasons="; ".join(quality.reasons))
    unusable = [organ.structure for organ in quality.organs if organ.verdict == "do not use"]
    if unusable:
        text += _("; <b>not to be used at {organs}</b>").format(organs=", ".join(unusable))
    return text + "."


def qualityRows(registration: CourseRegistration, quality: RegistrationQuality | None) -> list[tuple[Cell, ...]]:
    """Return what, value, verdict and reason: the whole, the organs from the worst on, and the method's own figures."""
    rows = []
    if quality is not None:
        rows += [_ofCheck(check) for check in quality.checks]
        rows += [_ofOrgan(organ) for organ in sorted(quality.organs, key=lambda o: _WORST_FIRST.index(o.verdict))]
    return rows + [(Cell(name), Cell(_figure(value)), Cell(""), Cell("")) for name, value in registration.qa.items()]


def _ofCheck(check: Check) -> tuple[Cell, ...]:
    tip = f"{check.limit.source} [{check.limit.status}]"
    return (
        Cell(check.limit.words, tip),
        Cell(_figure(check.value), tip),
        Cell(_WORDS[check.verdict], tip, color=_COLORS[check.verdict]),
        Cell(check.reason, tip),
    )


def _ofOrgan(organ: OrganQuality) -> tuple[Cell, ...]:
    measured = "\n".join(
        f"{check.limit.words}: {_figure(check.value)}, {_WORDS[check.verdict]} [{check.limit.status}]"
        for check in organ.checks
    )
    if organ.uncertainty_mm is None:
        place = _("place unknown")
    else:
        place = _("within {distance:.1f} mm").format(distance=organ.uncertainty_mm)
    return (
        Cell(organ.structure, measured),
        Cell(place, organ.uncertainty_basis),
        Cell(_WORDS[organ.verdict], measured, color=_COLORS[organ.verdict]),
        Cell("; ".join(organ.reasons), measured),
    )


def _figure(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
