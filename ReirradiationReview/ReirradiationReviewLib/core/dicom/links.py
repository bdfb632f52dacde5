"""Which dose belongs to which plan, which structure set and CT to both: by UID, else only where there is no choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import Notice, ReirradiationError
from .dose import DoseObject
from .objects import DicomFile
from .plan import PlanFacts
from .structures import frames_of, series_of


@dataclass(frozen=True)
class LinkedPlan:
    """A plan with the dose objects that belong to it; at least one."""

    plan: PlanFacts
    doses: tuple[DoseObject, ...]

    @property
    def structure_set_uids(self) -> tuple[str, ...]:
        """SOP Instance UIDs of the structure sets that the plan, else its doses, refer to."""
        return self.plan.structure_set_uids or tuple(
            uid for dose in self.doses for uid in dose.file.uids("ReferencedStructureSetSequence")
        )


def link_doses(
    plans: Sequence[PlanFacts], doses: Sequence[DoseObject], entered: Mapping[str, int]
) -> tuple[list[LinkedPlan], list[Notice]]:
    """Return each plan with its doses, in the order of the plans, then plans known only from their doses.

    Parameters
    ----------
    entered
        User-entered fractions by plan label or UID: a label must name one plan only.

    Raises
    ------
    ReirradiationError
        If a dose cannot be assigned to a plan without a guess, or only converted or summed doses are there.
    """
    usable, notices = _leave_out_converted(doses)
    by_plan: dict[str, list[DoseObject]] = {}
    for dose in usable:
        by_plan.setdefault(dose.plan_uids[0] if dose.plan_uids else "", []).append(dose)
    unlinked = by_plan.pop("", [])
    if unlinked:
        plan, notice = _plan_of_unlinked(unlinked, plans, by_plan)
        by_plan[plan.uid if plan else ""] = unlinked
        notices.append(notice)
    known = {plan.uid: plan for plan in plans}
    for plan in plans:
        if plan.uid not in by_plan:
            text = f"plan {plan.label!r} has no dose in the folder: what it gave, if anything, is not in this review"
            notices.append(Notice("plan-without-dose", text, plan.name))
    present = [plan for plan in plans if plan.uid in by_plan]
    absent = [_plan_of_dose(uid, by_plan[uid][0]) for uid in by_plan if uid not in known]
    labelled = _distinct_labels(present + absent, entered)
    return [LinkedPlan(plan, tuple(by_plan[plan.uid])) for plan in labelled], notices


def _leave_out_converted(doses: Sequence[DoseObject]) -> tuple[list[DoseObject], list[Notice]]:
    """Return the doses that may be a plan's dose; the others only matter if they are all that there is."""
    reasons = {dose.name: dose.why_no_plan_dose() for dose in doses}
    usable = [dose for dose in doses if not reasons[dose.name]]
    covered = {uid for dose in usable for uid in dose.plan_uids}
    notices = []
    for dose in doses:
        reason = reasons[dose.name]
        if reason and (not usable or not set(dose.plan_uids) <= covered):
            raise ReirradiationError(
                f"{dose.name} is not the dose of one plan: {reason}; EQD2 has to be computed plan by plan, so add the "
                "PLAN dose of every plan instead"
            )
        if reason:
            notices.append(Notice("dose-not-of-one-plan", f"{dose.name} was not used: {reason}", dose.name))
    return usable, notices


def _plan_of_unlinked(
    unlinked: Sequence[DoseObject], plans: Sequence[PlanFacts], linked: Mapping[str, object]
) -> tuple[PlanFacts | None, Notice]:
    """Return the plan of a dose without ReferencedRTPlanSequence: the only one of the folder, if it is free."""
    dose = unlinked[0]
    if len(unlinked) > 1 or len(plans) > 1 or linked:
        names = ", ".join(dose.name for dose in unlinked)
        raise ReirradiationError(
            f"{names}: ReferencedRTPlanSequence (300C,0002) is missing, and which plan the dose belongs to is not "
            "clear; put one plan with its dose in the folder, or export the dose with its reference"
        )
    missing = f"{dose.name}: ReferencedRTPlanSequence (300C,0002) is missing"
    if not plans:
        return None, Notice("dose-without-plan", f"{missing}, and the folder has no plan", dose.name)
    plan = plans[0]
    plan_frame = plan.file.frame_of_reference if plan.file else ""
    dose_frame = dose.file.frame_of_reference
    if plan_frame and dose_frame and plan_frame != dose_frame:
        raise ReirradiationError(
            f"{missing}, and the only plan of the folder, {plan.label!r}, is in another Frame of Reference "
            "(0020,0052); add the plan of this dose"
        )
    text = f"{missing}; it is taken to be the dose of {plan.label!r}, the only plan of the folder; check this"
    return plan, Notice("dose-plan-assumed", text, dose.name)


def _plan_of_dose(uid: str, dose: DoseObject) -> PlanFacts:
    return PlanFacts(label=dose.file.text("SeriesDescription") or dose.file.path.stem, uid=uid)


def _distinct_labels(plans: Sequence[PlanFacts], entered: Mapping[str, int]) -> list[PlanFacts]:
    """Return the plans with labels that are unique within the course."""
    labels: set[str] = set()
    result = []
    for plan in plans:
        label, count = plan.label, 1
        while label in labels:
            count += 1
            label = f"{plan.label} ({count})"
        if count > 1 and plan.label in entered:
            uids = ", ".join(other.uid for other in plans if other.label == plan.label)
            raise ReirradiationError(
                f"--fractions {plan.label!r}: several plans have this label; give the plan's UID instead ({uids})"
            )
        labels.add(label)
        result.append(replace(plan, label=label))
    return result


def choose_structure_set(
    linked: Sequence[LinkedPlan], sets: Sequence[DicomFile], frame: str
) -> tuple[DicomFile | None, list[Notice]]:
    """Return the structure set that the plans refer to, and what to tell.

    Parameters
    ----------
    frame
        Frame of Reference UID of the doses; empty where unknown.

    Raises
    ------
    ReirradiationError
        If several could be meant.
    """
    by_uid = {file.uid: file for file in sets}
    latest_first = sorted(linked, key=lambda item: item.plan.date, reverse=True)
    referred = dict.fromkeys(uid for item in latest_first for uid in item.structure_set_uids if uid in by_uid)
    if referred:
        chosen = by_uid[next(iter(referred))]
        return chosen, _other_sets_notices(chosen, sets)
    fitting = [file for file in sets if not frame or not frames_of(file) or frame in frames_of(file)]
    if len(fitting) > 1:
        names = ", ".join(file.name for file in fitting)
        raise ReirradiationError(
            f"the plan refers to none of the structure sets {names}; keep the one that it was made on in the folder"
        )
    notices = _other_sets_notices(fitting[0] if fitting else None, sets)
    if fitting and linked:
        text = (
            f"{fitting[0].name}: no plan or dose refers to this structure set (ReferencedStructureSetSequence "
            "(300C,0060)); it is used, being the only one that fits; check that it belongs to the plan"
        )
        notices.append(Notice("structure-set-assumed", text, fitting[0].name))
    return (fitting[0] if fitting else None), notices


def _other_sets_notices(chosen: DicomFile | None, sets: Iterable[DicomFile]) -> list[Notice]:
    others = [file.name for file in sets if file is not chosen]
    if not others:
        return []
    used = f"the structure set {chosen.name} of the latest plan is used" if chosen else "no structure set fits the dose"
    return [Notice("structure-sets-unused", f"{used}; not used: {', '.join(others)}", others[0])]


def choose_ct(
    series: Mapping[str, Sequence[DicomFile]], structure_set: DicomFile | None, frame: str
) -> tuple[Sequence[DicomFile] | None, list[Notice]]:
    """Return the slices of the CT that the structure set was drawn on, and what to tell.

    Raises
    ------
    ReirradiationError
        If several could be meant.
    """
    if not series:
        return None, [Notice("no-ct", "there is no CT series in the folder")]
    series_uids, image_uids = series_of(structure_set) if structure_set else (set[str](), set[str]())
    chosen = [uid for uid, files in series.items() if uid in series_uids or image_uids & {f.uid for f in files}]
    notices = []
    if not chosen:
        chosen = [uid for uid, files in series.items() if not frame or files[0].frame_of_reference == frame]
        chosen = chosen or (list(series) if len(series) == 1 else [])
        text = "the structure set does not refer to the CT series" if structure_set else "there is no structure set"
        notices.append(Notice("ct-assumed", f"{text}; the CT is used as the only one that fits; check it"))
    if len(chosen) != 1:
        raise ReirradiationError(
            f"there are {len(series)} CT series ({_descriptions(series)}) and it is not clear which one the plan was "
            "made on; keep that one in the folder"
        )
    others = {uid: files for uid, files in series.items() if uid != chosen[0]}
    if others:
        notices.append(Notice("ct-series-unused", f"CT series that were not used: {_descriptions(others)}"))
    return series[chosen[0]], notices


def _descriptions(series: Mapping[str, Sequence[DicomFile]]) -> str:
    return ", ".join(
        f"{files[0].text('SeriesDescription') or uid!r} of {len(files)} slices" for uid, files in series.items()
    )


def common_frame(
    linked: Sequence[LinkedPlan], structure_set: DicomFile | None, ct: DicomFile | None
) -> tuple[str, list[Notice]]:
    """Return the Frame of Reference UID (0020,0052) of the course's doses, and what to tell.

    A dose without one is placed only if plan, structure set and CT, as far as they are there, agree on one.

    Raises
    ------
    ReirradiationError
        If the doses disagree, if none can be had, or if the CT lies in another frame than the dose.
    """
    doses = [dose for item in linked for dose in item.doses]
    stated = {dose.file.frame_of_reference: dose.name for dose in doses if dose.file.frame_of_reference}
    if len(stated) > 1:
        raise ReirradiationError(
            f"the doses {', '.join(stated.values())} are in different Frames of Reference (0020,0052): these are "
            "different planning CTs; give each a folder, as a course of its own"
        )
    missing = [dose.name for dose in doses if not dose.file.frame_of_reference]
    around = {file.frame_of_reference for file in (ct, *(item.plan.file for item in linked)) if file}
    around = (around | (frames_of(structure_set) if structure_set else set())) - {""}
    notices = []
    if missing:
        candidates = around | set(stated)
        if len(candidates) != 1:
            raise ReirradiationError(
                f"{', '.join(missing)}: FrameOfReferenceUID (0020,0052) is missing, and plan, structure set and CT "
                f"{'disagree on it' if candidates else 'have none either'}; export the dose again"
            )
        stated = dict.fromkeys(candidates, missing[0])
        text = (
            f"{', '.join(missing)}: FrameOfReferenceUID (0020,0052) is missing; it is taken from the plan, structure "
            "set and CT, which agree on it; check the position of the dose on the CT"
        )
        notices.append(Notice("dose-frame-assumed", text, missing[0]))
    frame = next(iter(stated), ct.frame_of_reference if ct else "")
    return frame, notices + _ct_frame_notices(frame, ct)


def _ct_frame_notices(frame: str, ct: DicomFile | None) -> list[Notice]:
    if ct is None or ct.frame_of_reference == frame:
        return []
    if ct.frame_of_reference:
        raise ct.bad(
            "FrameOfReferenceUID",
            "differs between the CT and the dose: where the dose lies on the CT is not known",
            "add the CT that the dose was computed on",
        )
    text = f"{ct.name}: FrameOfReferenceUID (0020,0052) of the CT is missing; it is taken to be that of the dose"
    return [Notice("ct-frame-assumed", text, ct.name)]
