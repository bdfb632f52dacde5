"""What RTPLAN and RTIONPLAN say about a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..courses import FractionsSource
from ..errors import Notice, ReirradiationError
from .brachytherapy import brachytherapy_notices, read_brachytherapy
from .objects import DicomFile

RTPLAN = "1.2.840.10008.5.1.4.1.1.481.5"
RTIONPLAN = "1.2.840.10008.5.1.4.1.1.481.8"
# Plan intents (300A,000A) whose dose the patient does not receive.
_NOT_FOR_TREATMENT = {"VERIFICATION", "MACHINE_QA", "RESEARCH", "SERVICE"}


@dataclass(frozen=True)
class PlanFacts:
    """A plan as its file states it; mostly empty where the file is not in the folder.

    Parameters
    ----------
    group_fractions
        Number of Fractions Planned (300A,0078) per fraction group; None where absent or 0.
    beams
        Beam numbers of all fraction groups (300C,0006): those that are delivered.
    delivery
        See `core.courses.Plan`.
    is_heavy_ion
        A beam is of particles with a Radiation Atomic Number (300A,0306) above 1.
    """

    label: str
    uid: str = ""
    file: DicomFile | None = None
    modality: str = ""
    date: str = ""
    group_fractions: tuple[int | None, ...] = ()
    beams: tuple[int, ...] = ()
    prescription_gy: float | None = None
    delivery: str = ""
    is_heavy_ion: bool = False
    structure_set_uids: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """File name or label, for messages."""
        return self.file.name if self.file else self.label


def is_plan(file: DicomFile) -> bool:
    """Return whether a file is an RTPLAN or RTIONPLAN; both have Modality RTPLAN."""
    return file.sop_class in (RTPLAN, RTIONPLAN) or file.modality == "RTPLAN"


def read_plan(file: DicomFile) -> PlanFacts:
    """Return what a plan file says."""
    groups = file.items("FractionGroupSequence")
    beams = [beam.integer("ReferencedBeamNumber") for group in groups for beam in group.items("ReferencedBeamSequence")]
    is_ion = file.sop_class == RTIONPLAN or "IonBeamSequence" in file.dataset
    return PlanFacts(
        label=file.text("RTPlanLabel") or file.text("RTPlanName") or file.path.stem,
        uid=file.uid,
        file=file,
        modality="RTIONPLAN" if is_ion else "RTPLAN",
        date=file.iso_date("RTPlanDate") or file.iso_date("StudyDate"),
        group_fractions=tuple(_positive(group.integer("NumberOfFractionsPlanned")) for group in groups),
        beams=tuple(number for number in beams if number is not None),
        prescription_gy=_prescription_gy(file),
        delivery=read_brachytherapy(file),
        is_heavy_ion=is_ion and _is_heavy(file),
        structure_set_uids=file.uids("ReferencedStructureSetSequence"),
    )


def _is_heavy(file: DicomFile) -> bool:
    beams = file.items("IonBeamSequence")
    return any((beam.integer("RadiationAtomicNumber") or 1) > 1 for beam in beams)


def _positive(number: int | None) -> int | None:
    return number if number is not None and number > 0 else None


def _prescription_gy(file: DicomFile) -> float | None:
    """Return the highest Target Prescription Dose (300A,0026) of the dose references of type TARGET."""
    targets = [item for item in file.items("DoseReferenceSequence") if item.code("DoseReferenceType") == "TARGET"]
    doses = [dose for item in targets if (dose := item.number("TargetPrescriptionDose")) is not None and dose > 0]
    return max(doses, default=None)


def plan_notices(plan: PlanFacts) -> list[Notice]:
    """Return what the user must know about the plan itself: approval, purpose, dose given before."""
    if plan.file is None:
        return []
    file, notices = plan.file, []
    approval = file.code("ApprovalStatus")
    if approval in ("UNAPPROVED", "REJECTED"):
        text = f"plan {plan.label!r}: ApprovalStatus (300E,0002) is {approval}; check that this plan was treated"
        notices.append(Notice("plan-not-approved", text, plan.name))
    intent = file.code("PlanIntent")
    if intent in _NOT_FOR_TREATMENT:
        text = f"plan {plan.label!r}: PlanIntent (300A,000A) is {intent}; check that its dose was given to the patient"
        notices.append(Notice("plan-not-for-treatment", text, plan.name))
    notices += brachytherapy_notices(file, plan.label, plan.delivery)
    for reference in file.items("DoseReferenceSequence"):
        prior_gy = reference.number("NominalPriorDose")
        if prior_gy:
            where = reference.text("DoseReferenceDescription") or reference.text("DoseReferenceNumber") or "?"
            text = (
                f"plan {plan.label!r} states NominalPriorDose (300A,001A) {prior_gy:g} Gy at {where!r}: dose from "
                "earlier treatment; check that the course it is from is part of this review"
            )
            notices.append(Notice("plan-prior-dose", text, plan.name))
    return notices


def fractions_of(plan: PlanFacts, entered: Mapping[str, int]) -> tuple[int | None, FractionsSource, list[Notice]]:
    """Return the number of fractions of a plan, where it is from, and what to tell.

    Parameters
    ----------
    entered
        Numbers that the user gave, by plan label or plan UID: they win over the file.

    Raises
    ------
    ReirradiationError
        If an entered number is not a whole number of at least 1.
    """
    planned = plan.group_fractions[0] if len(plan.group_fractions) == 1 else None
    key = next((key for key in (plan.uid, plan.label) if key in entered), None)
    if key is not None:
        number = entered[key]
        if isinstance(number, bool) or int(number) != number or number < 1:
            raise ReirradiationError(f"--fractions {key!r}={number}: enter a whole number of at least 1")
        text = f"plan {plan.label!r}: {number} fractions as entered by the user"
        stated = " + ".join("unknown" if n is None else str(n) for n in plan.group_fractions)
        if stated and stated != str(number):
            text += f"; the plan file says {stated}"
        return int(number), "user", [Notice("fractions-entered", text, plan.name)]
    if planned is not None:
        return planned, "plan", []
    return None, "unknown", [Notice("fractions-unknown", _why_unknown(plan), plan.name)]


def _why_unknown(plan: PlanFacts) -> str:
    enter = f"enter it with --fractions {plan.label!r}=N"
    if len(plan.group_fractions) > 1:
        stated = " and ".join("unknown" if n is None else str(n) for n in plan.group_fractions)
        return (
            f"plan {plan.label!r} has {len(plan.group_fractions)} fraction groups of {stated} fractions, and the dose "
            "of each group is not known; export each group as a plan with a dose of its own, or "
            f"{enter} (the smallest number that all of the dose could have been given in errs on the safe side)"
        )
    if plan.file is None:
        return f"the plan of dose {plan.label!r} is not in the folder, so its number of fractions is unknown; {enter}"
    return (
        f"plan {plan.label!r}: NumberOfFractionsPlanned (300A,0078) is missing or 0, so its number of fractions is "
        f"unknown; {enter}"
    )
