"""The dose of a plan out of the RTDOSE objects that refer to it: chosen, added up or refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import Notice, ReirradiationError
from ..volume import Volume
from .dose import DoseObject, read_dose_gy, require_same_grid, same_grid
from .plan import PlanFacts

# Beams are stored with 16 bits each, so their sum differs from the plan's dose by rounding.
_BEAM_SUM_TOLERANCE = 0.01
# The maximum of a plan's total dose lies in this range of its prescription: below, target coverage would have been
# given up; above, not even radiosurgery prescribes (prescription isodoses down to about 40 %).
_MAX_OVER_PRESCRIPTION = (0.8, 3.0)
# Outside this range the dose is still used, but the user is asked to look: one fraction, one beam, cGy, percent.
_REMARKABLE = (0.5, 5.0)
_REMARKABLE_DOSE_GY = 300.0


@dataclass(frozen=True)
class PlanDose:
    """Total dose of a plan in Gy, and the objects that it was made from."""

    volume: Volume
    summation: str
    dose_type: str
    used: tuple[DoseObject, ...]
    notices: tuple[Notice, ...]

    @property
    def uids(self) -> tuple[str, ...]:
        """SOP Instance UIDs of the objects used."""
        return tuple(dose.file.uid for dose in self.used)


def read_plan_dose(plan: PlanFacts, doses: Sequence[DoseObject], fractions: int | None) -> PlanDose:
    """Return the total dose over all fractions of a plan.

    One PLAN dose is used as it is; without it, a FRACTION dose (see `_fraction_factor`) or the sum of all BEAM doses.

    Parameters
    ----------
    doses
        At least one: all RTDOSE with pixels that belong to the plan, converted and multi-plan doses left out.
    fractions
        Number of fractions, None where unknown.

    Raises
    ------
    ReirradiationError
        If the objects do not give one total dose without a guess.
    """
    by_type: dict[str, list[DoseObject]] = {}
    for dose in doses:
        by_type.setdefault(dose.summation, []).append(dose)
    if "PLAN" in by_type:
        result = _from_plan_dose(plan, by_type)
    elif "FRACTION" in by_type or "FRACTION_SESSION" in by_type:
        result = _from_fraction_dose(plan, by_type, fractions)
    elif "BEAM" in by_type:
        result = _from_beams(plan, by_type["BEAM"])
    else:
        result = _refuse_other(plan, doses)
    unused = [dose for dose in doses if dose not in result.used and dose.summation not in ("PLAN", "BEAM")]
    notices = [*result.notices, *_unused_notices(plan, unused, result.summation), *_dose_notices(plan, result)]
    return PlanDose(result.volume, result.summation, result.dose_type, result.used, tuple(notices))


def _names(doses: Sequence[DoseObject]) -> str:
    return ", ".join(dose.name for dose in doses)


def _only(plan: PlanFacts, doses: Sequence[DoseObject]) -> DoseObject:
    if len(doses) > 1:
        raise ReirradiationError(
            f"plan {plan.label!r} has {len(doses)} doses of DoseSummationType (3004,000A) {doses[0].summation}: "
            f"{_names(doses)}; keep the one that was treated and remove the others from the folder"
        )
    return doses[0]


def _from_plan_dose(plan: PlanFacts, by_type: dict[str, list[DoseObject]]) -> PlanDose:
    dose = _only(plan, by_type["PLAN"])
    volume = read_dose_gy(dose)
    notices = _compare_beams(plan, volume, by_type.get("BEAM", []))
    return PlanDose(volume, dose.summation, dose.dose_type, (dose,), tuple(notices))


def _compare_beams(plan: PlanFacts, total: Volume, beams: Sequence[DoseObject]) -> list[Notice]:
    """Return the notice that beam doses are ignored beside the plan's, after checking that they add up to it."""
    if not beams:
        return []
    text = f"plan {plan.label!r}: the PLAN dose is used and the BEAM doses {_names(beams)} are not counted again"
    problem = _beam_problem(plan, beams)
    if problem:
        return [Notice("beam-doses-ignored", f"{text}; they were not compared with it: {problem}", plan.name)]
    try:
        volumes = [read_dose_gy(beam) for beam in beams]
    except ReirradiationError as error:
        return [Notice("beam-doses-ignored", f"{text}; they were not compared with it: {error}", plan.name)]
    if not all(same_grid(total, volume) for volume in volumes):
        return [Notice("beam-doses-ignored", f"{text}; they are on another grid and were not compared", plan.name)]
    difference_gy = float(np.abs(np.sum([v.array for v in volumes], axis=0) - total.array).max())
    if difference_gy <= _BEAM_SUM_TOLERANCE * float(total.array.max()):
        return [Notice("beam-doses-ignored", f"{text}; they add up to it", plan.name)]
    text += f"; they do NOT add up to it (up to {difference_gy:.2f} Gy apart): check which of them is right"
    return [Notice("beam-doses-differ", text, plan.name)]


def _beam_problem(plan: PlanFacts, beams: Sequence[DoseObject]) -> str:
    """Return why beam doses are not each beam of the plan exactly once; empty where they are."""
    unnamed = [beam for beam in beams if not beam.beams]
    if unnamed:
        return f"{_names(unnamed)} does not say which beam it is: ReferencedBeamNumber (300C,0006) is missing"
    counts = Counter(number for beam in beams for number in beam.beams)
    twice = sorted(number for number, count in counts.items() if count > 1)
    if twice:
        return f"beam {', '.join(map(str, twice))} is there more than once ({_names(beams)})"
    if not plan.beams:
        return "the plan's list of beams is not known (ReferencedBeamSequence (300C,0004) of the RTPLAN)"
    if set(counts) != set(plan.beams):
        return f"the plan has beams {sorted(set(plan.beams))}, the doses are of beams {sorted(counts)}"
    return ""


def _from_beams(plan: PlanFacts, beams: Sequence[DoseObject]) -> PlanDose:
    problem = _beam_problem(plan, beams)
    if problem:
        raise ReirradiationError(
            f"plan {plan.label!r} has BEAM doses only, and they cannot be added up: {problem}; export the PLAN dose"
        )
    types = {beam.dose_type for beam in beams}
    if len(types) > 1:
        raise beams[0].file.bad("DoseType", f"differs between the beam doses {_names(beams)}", "export the PLAN dose")
    volumes = [read_dose_gy(beam) for beam in beams]
    for beam, volume in zip(beams, volumes, strict=True):
        require_same_grid(volumes[0], volume, f"{beams[0].name}, {beam.name}")
        if volume.frame_of_reference_uid != volumes[0].frame_of_reference_uid:
            raise beam.file.bad("FrameOfReferenceUID", f"differs from {beams[0].name}", "export the PLAN dose")
    total = volumes[0].like(np.asarray(np.sum([volume.array for volume in volumes], axis=0, dtype=np.float32)))
    text = f"plan {plan.label!r} has no PLAN dose: the doses of its {len(beams)} beams were added up ({_names(beams)})"
    return PlanDose(total, "BEAM", types.pop(), tuple(beams), (Notice("beam-doses-added", text, plan.name),))


def _from_fraction_dose(plan: PlanFacts, by_type: dict[str, list[DoseObject]], fractions: int | None) -> PlanDose:
    dose = _only(plan, by_type.get("FRACTION", []) + by_type.get("FRACTION_SESSION", []))
    volume = read_dose_gy(dose)
    if len(plan.group_fractions) > 1:
        raise ReirradiationError(
            f"{dose.name} is the dose of one of the {len(plan.group_fractions)} fraction groups of plan "
            f"{plan.label!r}: the others are missing; export the PLAN dose"
        )
    factor, why = _fraction_factor(plan, dose, float(volume.array.max()), fractions)
    text = f"{dose.name}: DoseSummationType (3004,000A) is {dose.summation}; {why}"
    total = volume.like((volume.array * np.float32(factor)).astype(np.float32))
    return PlanDose(total, dose.summation, dose.dose_type, (dose,), (Notice("dose-of-fraction", text, plan.name),))


def _fraction_factor(plan: PlanFacts, dose: DoseObject, max_gy: float, fractions: int | None) -> tuple[int, str]:
    """Return what to multiply a FRACTION dose by, and why.

    PS3.3 C.8.8.3 defines FRACTION as the entire delivery of one fraction group and FRACTION_SESSION as one session
    of it, but FRACTION is also written for the dose of a single fraction. The prescription tells which it is.
    """
    if fractions == 1:
        return 1, "the plan has one fraction, so this is its total dose"
    if fractions is not None and plan.prescription_gy is not None:
        low, high = _MAX_OVER_PRESCRIPTION
        fits = [n for n in (1, fractions) if low <= n * max_gy / plan.prescription_gy <= high]
        if fits == [1] and dose.summation == "FRACTION":
            return 1, (
                f"its maximum of {max_gy:.2f} Gy fits the prescription of {plan.prescription_gy:g} Gy, so it is the "
                "total of the fraction group and was not multiplied"
            )
        if fits == [fractions]:
            return fractions, (
                f"its maximum of {max_gy:.2f} Gy fits the prescription of {plan.prescription_gy:g} Gy only if it is "
                f"the dose of one fraction, so it was multiplied by {fractions}"
            )
    raise dose.file.bad(
        "DoseSummationType",
        f"is {dose.summation} and it is not clear whether the maximum of {max_gy:.2f} Gy is that of one fraction or of "
        f"all (fractions: {fractions or 'unknown'}, prescription: {plan.prescription_gy or 'unknown'})",
        "export the PLAN dose",
    )


def _refuse_other(plan: PlanFacts, doses: Sequence[DoseObject]) -> PlanDose:
    kinds = ", ".join(f"{dose.name}: {dose.summation or 'missing'}" for dose in doses)
    raise ReirradiationError(
        f"plan {plan.label!r} has no dose of DoseSummationType (3004,000A) PLAN, nor BEAM doses ({kinds}); export the "
        "PLAN dose"
    )


def _unused_notices(plan: PlanFacts, unused: Sequence[DoseObject], summation: str) -> list[Notice]:
    return [
        Notice(
            "dose-not-used",
            f"{dose.name}: DoseSummationType (3004,000A) is {dose.summation or 'missing'}; not used, as plan "
            f"{plan.label!r} has a {summation} dose",
            plan.name,
        )
        for dose in unused
    ]


def _dose_notices(plan: PlanFacts, dose: PlanDose) -> list[Notice]:
    """Return what the values say: RBE, nothing at all, or a maximum unlike the prescription."""
    notices = _rbe_notices(plan, dose)
    max_gy = float(dose.volume.array.max())
    where = _names(dose.used)
    low, high = _REMARKABLE
    if max_gy == 0:
        notices.append(Notice("dose-all-zero", f"{where}: the dose is 0 Gy everywhere; check the export", plan.name))
    elif plan.prescription_gy and not low <= max_gy / plan.prescription_gy <= high:
        text = (
            f"{where}: the maximum is {max_gy:.2f} Gy, the prescription of plan {plan.label!r} is "
            f"{plan.prescription_gy:g} Gy; check that this is the total dose of all beams and fractions in Gy"
        )
        notices.append(Notice("dose-unlike-prescription", text, plan.name))
    elif not plan.prescription_gy and max_gy > _REMARKABLE_DOSE_GY:
        text = f"{where}: the maximum is {max_gy:.0f} Gy; check that the dose is in Gy and not in cGy"
        notices.append(Notice("dose-very-high", text, plan.name))
    return notices


def _rbe_notices(plan: PlanFacts, dose: PlanDose) -> list[Notice]:
    where, is_ion = _names(dose.used), plan.modality == "RTIONPLAN"
    if dose.dose_type == "PHYSICAL" and is_ion:
        text = (
            f"{where}: DoseType (3004,0004) is PHYSICAL for the ion plan {plan.label!r}: the RBE is probably NOT in. "
            "Unless the user says otherwise nothing is multiplied, and every EQD2 of this plan is too low; export the "
            f"RBE-weighted dose, or give --rbe {plan.label!r}=1.1 for protons (=included if it is in)"
        )
        return [Notice("dose-rbe-missing", text, plan.name)]
    if dose.dose_type == "EFFECTIVE" and is_ion:
        text = f"{where}: DoseType (3004,0004) is EFFECTIVE: the RBE is in already and is not applied again"
        return [Notice("dose-effective", text, plan.name)]
    if dose.dose_type == "EFFECTIVE":
        text = (
            f"{where}: DoseType (3004,0004) is EFFECTIVE without an ion plan: an RBE is in already and is not applied "
            "again; make sure that it is not an EQD2 or BED, which must not be converted twice"
        )
        return [Notice("dose-effective", text, plan.name)]
    return []
