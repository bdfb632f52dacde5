"""The range of every constraint's value, one cause at a time, and whether its verdict holds throughout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ..biology import load_alpha_beta_table
from ..constraints import Verdict, verdict_at
from ..dose_mapping import PlanField, PlanWeight
from ..linear_dose import LinearDose
from ..organs.dvh import Metric, metric
from ..row_cases import RowCase
from .geometric import GeometricInputs, GeometricRange, RangeSource, other_transforms
from .organ_sums import OrganSum
from .settings import UncertaintySettings

# Alpha/beta values between the ends of its range. In 1 / (2 + ab) the EQD2 of a point is a straight line, so a maximum
# over points is highest at an end, but it may be lowest in between.
_ALPHA_BETA_STEPS = 5
_THREADS = 2


@dataclass(frozen=True)
class RowRange:
    """The range of one row's value on one organ: the envelope of its sources, which are varied one at a time.

    Parameters
    ----------
    value
        As shown.
    verdicts
        At the more and at the less favorable end; None for a row without verdict.
    """

    value: float
    low: float
    high: float
    sources: tuple[RangeSource, ...]
    verdicts: tuple[Verdict, Verdict] | None

    @property
    def is_firm(self) -> bool | None:
        """Whether the verdict is the same throughout; None for a row without verdict."""
        return None if self.verdicts is None else self.verdicts[0] == self.verdicts[1]

    @property
    def why(self) -> str:
        """What drives the range, the widest cause first; causes that do not move the value are left out."""
        ordered = sorted(self.sources, key=lambda source: source.low - source.high)
        said = [(source.text, f"{source.low:.2f}", f"{source.high:.2f}") for source in ordered]
        return "; ".join(f"{text}: {low} to {high}" for text, low, high in said if low != high) or "nothing moves it"


def row_ranges(
    cases: Sequence[RowCase],
    fields: Sequence[PlanField],
    course_of: Sequence[int],
    reference_index: int,
    settings: UncertaintySettings,
    *,
    measured_mm: Mapping[tuple[int, str], float],
) -> list[RowRange | None]:
    """Return the range of every row's value, None where there is none.

    There is none where the organ is not contoured or no dose of it is known, for a rule about time, and for a ratio
    whose part registration moves too.

    Parameters
    ----------
    fields
        One per plan.
    course_of
        Which course each plan belongs to.
    measured_mm
        By course and structure: the registration's mean error there, where it was measured.
    """
    others = other_transforms(fields, course_of, settings)
    inputs = GeometricInputs(tuple(fields), tuple(course_of), reference_index, settings, others, measured_mm)
    # Rows about the same sum on the same organ share what is costly.
    groups: dict[tuple[int, bytes], list[int]] = {}
    for number, case in enumerate(cases):
        if case.is_one_dose or (case.relative and case.row.basis == "current_only"):
            groups.setdefault((id(case.organ), _moved_sum(case).coefficients.tobytes()), []).append(number)
    result: list[RowRange | None] = [None] * len(cases)
    with ThreadPoolExecutor(_THREADS) as pool:
        of_groups = pool.map(lambda numbers: _of_group([cases[n] for n in numbers], inputs), groups.values())
        for numbers, ranges in zip(groups.values(), of_groups, strict=True):
            for number, found in zip(numbers, ranges, strict=True):
                result[number] = found
    return result


def _of_group(cases: Sequence[RowCase], inputs: GeometricInputs) -> list[RowRange | None]:
    organ = cases[0].organ
    assert organ is not None
    organ_sum = OrganSum(organ.sampled, _moved_sum(cases[0]), inputs.course_of, inputs.reference_index)
    if not organ_sum.known.any():
        return [None] * len(cases)
    geometric = GeometricRange(organ_sum, inputs)
    return [_row_range(case, geometric) for case in cases]


def _moved_sum(case: RowCase) -> LinearDose:
    """Return the sum that registration moves: the row's own, or the whole that a ratio is taken of."""
    return case.terms(weights=case.relative or None)


def _row_range(case: RowCase, geometric: GeometricRange) -> RowRange:
    measure, result = metric(case.row.metric), case.result()
    whole = measure(case.dose(_moved_sum(case)).low)
    part = measure(case.dose().low)
    sources = list(_biological(case, measure))
    for source in geometric.sources(measure, whole):
        ends = (source.low, source.high) if not case.relative else (_ratio(part, source.high), _ratio(part, source.low))
        sources.append(RangeSource(source.name, *ends, source.text))
    if result.range is not None:
        sources.append(RangeSource("dose_grid", result.range.low, result.range.high, "where a dose grid ends"))
    low = min([result.value, *(source.low for source in sources)])
    high = max([result.value, *(source.high for source in sources)])
    ends = (low, high) if case.row.is_upper_limit else (high, low)
    verdicts = None if result.verdict == "note" else (verdict_at(case.row, ends[0]), verdict_at(case.row, ends[1]))
    return RowRange(result.value, low, high, tuple(sources), verdicts)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _biological(case: RowCase, measure: Metric) -> Iterator[RangeSource]:
    """Yield what alpha/beta and recovery do."""
    organ = case.organ
    assert organ is not None

    def value(alpha_beta_gy: float | None = None, weights: Sequence[PlanWeight] | None = None) -> float:
        found = measure(case.dose(case.terms(alpha_beta_gy, weights)).low)
        return (
            found
            if not case.relative
            else _ratio(found, measure(case.dose(case.terms(alpha_beta_gy, case.relative)).low))
        )

    if case.row.quantity != "physical":
        table = load_alpha_beta_table()
        of_organ = table.find(organ.match, organ.name)
        published = table.default if of_organ.low == of_organ.high else of_organ
        low, high = min(published.low, case.alpha_beta_gy), max(published.high, case.alpha_beta_gy)
        whose = "late effects in general" if published is table.default else "this organ"
        steps = 1 / np.linspace(1 / (2 + low), 1 / (2 + high), _ALPHA_BETA_STEPS) - 2
        values = [value(float(alpha_beta_gy)) for alpha_beta_gy in steps]
        text = f"alpha/beta {low:g} to {high:g} Gy, as published for {whose}"
        yield RangeSource("alpha_beta", min(values), max(values), text)
    if case.weights != case.undiscounted:
        values = [value(), value(weights=case.undiscounted)]
        yield RangeSource("recovery", min(values), max(values), "recovery as set, or none")
