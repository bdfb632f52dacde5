"""What treatment records (RT Beams, Ion Beams, Brachy, Treatment Summary Record) say was delivered of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import Notice
from .objects import DicomFile, Item
from .plan import PlanFacts

# The sequences with one item per delivered beam or application setup (PS3.3 C.8.8.21, C.8.8.22, C.8.8.26).
_SESSION_SEQUENCES = (
    "TreatmentSessionBeamSequence",
    "TreatmentSessionIonBeamSequence",
    "TreatmentSessionApplicationSetupSequence",
)
# Treatment Delivery Types (300A,00CE) that image the patient and do not treat.
_NOT_TREATMENT = {"SETUP", "OPEN_PORTFILM"}
_FULLY_ENDED = {"NORMAL", ""}


@dataclass(frozen=True)
class Delivered:
    """What the records of a plan say.

    Parameters
    ----------
    fractions
        Distinct fractions in which dose was delivered; None where the records do not tell.
    first_date, last_date
        ISO dates of the first and the last treatment; empty where not told.
    cut_short
        Fractions of which a beam did not end normally and was not resumed.
    without_number
        Sessions with dose that do not say which fraction they are.
    """

    fractions: int | None
    first_date: str
    last_date: str
    cut_short: tuple[int, ...] = ()
    without_number: int = 0


def read_delivered(records: Iterable[DicomFile], plan_uid: str) -> Delivered | None:
    """Return what was delivered of a plan; None where no record refers to it.

    Fractions are the distinct values of Current Fraction Number (3008,0022), within their fraction group, of beams
    with delivered meterset above 0 or of unknown meterset; a summary's Number of Fractions Delivered (3008,005A) counts
    where it is larger.
    """
    mine = [record for record in records if plan_uid in record.uids("ReferencedRTPlanSequence")]
    if not plan_uid or not mine:
        return None
    given = [
        (group, session)
        for record in mine
        for name in _SESSION_SEQUENCES
        for session in record.items(name)
        if _gave_dose(session)
        for group in [_group_of(record)]
    ]
    numbered = [
        (group, number, session)
        for group, session in given
        if (number := session.integer("CurrentFractionNumber")) is not None
    ]
    sessions = {(group, number) for group, number, _ in numbered}
    counts = [len(sessions), *(summary for record in mine for summary in _summaries(record))]
    keywords = ("FirstTreatmentDate", "TreatmentDate", "MostRecentTreatmentDate")
    dates = sorted(date for record in mine for keyword in keywords if (date := record.iso_date(keyword)))
    return Delivered(
        fractions=max(counts) or None,
        first_date=dates[0] if dates else "",
        last_date=dates[-1] if dates else "",
        cut_short=_cut_short(numbered),
        without_number=len(given) - len(numbered),
    )


def _group_of(record: DicomFile) -> int | None:
    """Return the fraction group that the record refers to; its own number is enough, groups being told apart by it."""
    return record.integer("ReferencedFractionGroupNumber")


def _gave_dose(session: Item) -> bool:
    if session.code("TreatmentDeliveryType") in _NOT_TREATMENT:
        return False
    seconds = [
        time
        for channel in session.items("RecordedChannelSequence")
        if (time := channel.number("DeliveredChannelTotalTime")) is not None
    ]
    if seconds:
        return max(seconds) > 0
    return session.number("DeliveredPrimaryMeterset") != 0


def _summaries(record: DicomFile) -> list[int]:
    groups = record.items("FractionGroupSummarySequence")
    numbers = [group.integer("NumberOfFractionsDelivered") for group in groups]
    return [sum(number for number in numbers if number is not None and number > 0)] if numbers else []


def _cut_short(numbered: Sequence[tuple[int | None, int, Item]]) -> tuple[int, ...]:
    """Return the fractions of which a beam ended early and has no session that ended normally."""
    ended: dict[tuple[int | None, int, int | None], bool] = {}
    for group, number, session in numbered:
        key = (group, number, session.integer("ReferencedBeamNumber"))
        is_full = session.code("TreatmentTerminationStatus") in _FULLY_ENDED
        ended[key] = ended.get(key, False) or is_full
    return tuple(sorted({number for (_, number, _), is_full in ended.items() if not is_full}))


def delivered_notices(plan: PlanFacts, fractions: int | None, delivered: Delivered | None) -> list[Notice]:
    """Return what the user must know of the records: another number than planned, fractions cut short, no numbers."""
    if delivered is None:
        return []
    found = []
    if delivered.without_number:
        text = (
            f"plan {plan.label!r}: {delivered.without_number} treatment sessions have no CurrentFractionNumber "
            "(3008,0022) and are not counted as fractions; enter the delivered fractions with "
            f"--delivered {plan.label!r}=N"
        )
        found.append(Notice("fraction-number-missing", text, plan.name))
    if None not in (fractions, delivered.fractions) and delivered.fractions != fractions:
        text = (
            f"plan {plan.label!r}: the treatment records show {delivered.fractions} fractions delivered of {fractions}"
            "; check whether the records are complete"
        )
        found.append(Notice("fractions-delivered-differ", text, plan.name))
    if delivered.cut_short:
        numbers = ", ".join(map(str, delivered.cut_short))
        text = (
            f"plan {plan.label!r}: fraction {numbers} did not end normally (TreatmentTerminationStatus (3008,002A)) "
            "and was not resumed; it is counted in full"
        )
        found.append(Notice("fraction-cut-short", text, plan.name))
    return found
