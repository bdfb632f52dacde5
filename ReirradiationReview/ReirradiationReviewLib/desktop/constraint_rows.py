"""One row of the table of constraints: its cells, its order, and all that is known about it in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slicer.i18n import tr as _

from ..core.constraints import ConstraintResult
from ..core.headroom import FRACTIONS, LARGEST_SCALE, Headroom
from ..core.report.document import BASES, VERDICTS
from ..core.uncertainty import RowRange
from .background import Ranges
from .tables import Cell

# Light enough for black letters; the word and the sign say the same as the color.
_VERDICT_COLORS = {
    "fail": (255, 180, 180),
    "near": (255, 220, 150),
    "unknown": (215, 215, 215),
    "note": (200, 215, 245),
    "pass": (190, 230, 190),
}
_SEVERITY = {verdict: place for place, verdict in enumerate(VERDICTS)}


@dataclass(frozen=True)
class ConstraintRowShown:
    """A rule on an organ.

    Parameters
    ----------
    headroom, range
        None where there is none, or it is not worked out yet.
    """

    result: ConstraintResult
    headroom: Headroom | None = None
    range: RowRange | None = None

    def cells(self) -> tuple[Cell, ...]:
        """Return what the table shows."""
        result = self.result
        sign, word = VERDICTS[result.verdict]
        tip = f"{result.message}\n\n{BASES[result.basis]}\n{result.source}\n[{result.status}]"
        return (
            Cell(f"{sign} {word}", tip, color=_VERDICT_COLORS[result.verdict]),
            Cell(result.structure or result.organs, tip),
            Cell(f"{result.metric} {_quantity(result)}", tip),
            Cell(number(result.value, result.unit), tip),
            self._rangeCell(),
            Cell(f"{result.direction} {result.limit:g} {result.unit}", tip),
            Cell(number(result.headroom, result.unit), self._headroomTip()),
            Cell(result.protocol, tip),
        )

    def details(self) -> list[str]:
        """Return sentences about the row, HTML."""
        result = self.result
        found = [f"<b>{result.structure or result.organs}, {result.metric}</b>: {result.message}"]
        if self.range is not None:
            firm = {
                True: _("The verdict holds throughout."),
                False: _("<b>The verdict is not firm.</b>"),
                None: "",
            }[self.range.is_firm]
            text = _("Range {low:.1f} to {high:.1f} {unit}. {firm} {why}.")
            values = {"low": self.range.low, "high": self.range.high, "unit": result.unit}
            found.append(text.format(**values, firm=firm, why=self.range.why))
        if self.headroom is not None:
            found.append(self._headroomTip())
        found.append(_("Source: {source} [{status}]").format(source=result.source, status=result.status))
        return found

    def _rangeCell(self) -> Cell:
        span = self.range
        if span is None:
            known = self.result.range
            return Cell("") if known is None else Cell(f"{known.low:.1f}–{known.high:.1f}", known.why)
        text = f"{span.low:.1f}–{span.high:.1f}"
        if span.is_firm is False:
            return Cell(_("{range}, not firm").format(range=text), span.why, color=_VERDICT_COLORS["near"])
        return Cell(text, span.why)

    def _headroomTip(self) -> str:
        if self.headroom is None:
            return ""
        sentences = [_scaleSentence(self.headroom.new_plan_scale)]
        for label, doses in (
            (_("Further dose where the organ is hottest"), self.headroom.further_gy),
            (_("Instead of the new plan"), self.headroom.instead_gy),
        ):
            shown = [
                _("{dose:.1f} Gy in {fractions}").format(dose=doses[fractions], fractions=fractions)
                for fractions in FRACTIONS
                if math.isfinite(doses[fractions]) and doses[fractions] > 0
            ]
            sentences.append(f"{label}: {', '.join(shown) if shown else _('none')}.")
        return " ".join(sentences)


def shownRows(results: Sequence[ConstraintResult], ranges: Ranges | None) -> list[ConstraintRowShown]:
    """Return the rows of results, with what is worked out of them."""
    if ranges is None:
        return [ConstraintRowShown(result) for result in results]
    return [ConstraintRowShown(*row) for row in zip(results, ranges.headroom, ranges.ranges, strict=True)]


def sortedRows(rows: Sequence[ConstraintRowShown], column: int, descending: bool) -> list[ConstraintRowShown]:
    """Return rows in the order of a column; what is unknown comes last either way."""
    key = _SORT_KEYS[column]
    known = [row for row in rows if not _isNan(key(row))]
    unknown = [row for row in rows if _isNan(key(row))]
    return sorted(known, key=key, reverse=descending) + unknown


def number(value: float | None, unit: str) -> str:
    """Return a value with its unit, or that it is unknown."""
    return _("unknown") if value is None or _isNan(value) else f"{value:.1f} {unit}"


def _scaleSentence(scale: float) -> str:
    if math.isnan(scale):
        return _("How far the new plan could be scaled is not known.")
    if math.isinf(scale):
        return _("The new plan could be scaled {scale:g} times and more.").format(scale=LARGEST_SCALE)
    if scale == 0:
        return _("It is broken without the new plan.")
    return _("It holds up to {scale:.2f} times the new plan.").format(scale=scale)


def _quantity(result: ConstraintResult) -> str:
    if result.quantity == "physical":
        return _("(physical)")
    return f"({result.quantity}, α/β {result.alpha_beta_gy:g})" if result.alpha_beta_gy else f"({result.quantity})"


def _isNan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


_FIRM_ORDER = {False: 0, True: 1, None: 2}
_SORT_KEYS: tuple[Callable[[ConstraintRowShown], object], ...] = (
    lambda row: _SEVERITY[row.result.verdict],
    lambda row: (row.result.structure or row.result.organs).lower(),
    lambda row: row.result.metric,
    lambda row: row.result.value,
    lambda row: _FIRM_ORDER[None if row.range is None else row.range.is_firm],
    lambda row: row.result.limit,
    lambda row: row.result.headroom,
    lambda row: row.result.protocol,
)
