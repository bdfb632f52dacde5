"""The range of every constraint's value, one cause at a time, and whether its verdict holds throughout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ..biology import load_alpha_beta_table
from ..constraints import Verdict, verdict_at
from ..dose_mapping import PlanField
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

    There is none where the organ is not contoured or no dose of it is known, for a ratio and for a rule about time.

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
        if case.is_one_dose:
            groups.setdefault((id(case.organ), case.terms().coefficients.tobytes()), []).append(number)
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
    organ_sum = OrganSum(organ.sampled, cases[0].terms(), inputs.course_of, inputs.reference_index)
    if not organ_sum.known.any():
        return [None] * len(cases)
    geometric = GeometricRange(organ_sum, inputs)
    return [_row_range(case, geometric) for case in cases]


def _row_range(case: RowCase, geometric: GeometricRange) -> RowRange:
    measure, bounded = metric(case.row.metric), case.dose()
    value = measure(bounded.low)
    sources = [*_biological(case, measure), *geometric.sources(measure, value)]
    if bounded.incomplete_percent:
        bound = measure(bounded.high)
        sources.append(RangeSource("dose_grid", min(value, bound), max(value, bound), "where a dose grid ends"))
    low = min([value, *(source.low for source in sources)])
    high = max([value, *(source.high for source in sources)])
    ends = (low, high) if case.row.is_upper_limit else (high, low)
    judged = case.result().verdict != "note"
    verdicts = (verdict_at(case.row, ends[0]), verdict_at(case.row, ends[1])) if judged else None
    return RowRange(value, low, high, tuple(sources), verdicts)


def _biological(case: RowCase, measure: Metric) -> Iterator[RangeSource]:
    """Yield what alpha/beta and recovery do."""
    organ = case.organ
    assert organ is not None
    if case.row.quantity != "physical":
        table = load_alpha_beta_table()
        of_organ = table.find(organ.match, organ.name)
        published = table.default if of_organ.low == of_organ.high else of_organ
        low, high = min(published.low, case.alpha_beta_gy), max(published.high, case.alpha_beta_gy)
        whose = "late effects in general" if published is table.default else "this organ"
        steps = 1 / np.linspace(1 / (2 + low), 1 / (2 + high), _ALPHA_BETA_STEPS) - 2
        values = [measure(case.dose(case.terms(float(alpha_beta_gy))).low) for alpha_beta_gy in steps]
        yield RangeSource(
            "alpha_beta", min(values), max(values), f"alpha/beta {low:g} to {high:g} Gy, as published for {whose}"
        )
    if case.weights != case.undiscounted:
        values = [measure(case.dose(case.terms(weights=w)).low) for w in (case.weights, case.undiscounted)]
        yield RangeSource("recovery", min(values), max(values), "recovery as set, or none")
