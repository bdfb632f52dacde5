"""One RTDOSE object: what its numbers mean, and its grid in Gy (PS3.3 C.8.8.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ReirradiationError
from ..volume import Volume
from .geometry import grid_matrix, plane_axes, plane_position
from .objects import DicomFile
from .pixels import stored_values

RTDOSE = "1.2.840.10008.5.1.4.1.1.481.2"
# Offsets are written to 0.01 mm or better; a step that differs by more is a different step.
_STEP_TOLERANCE_MM = 0.02
_AXIAL = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
# Words in a description by which converted or summed doses are known, ours included.
_CONVERTED = re.compile(r"(?<![A-Za-z])((?i:EQD\d?|composite|accumulated|plan ?sum)|BED)(?![A-Za-z])")
# Sums over several plans by definition.
_MULTI_PLAN = {"MULTI_PLAN", "PLAN_OVERVIEW"}


@dataclass(frozen=True)
class DoseObject:
    """The header of an RTDOSE that has pixels.

    Parameters
    ----------
    summation
        Dose Summation Type (3004,000A), upper case; empty where absent.
    plan_uids
        SOP Instance UIDs of the plans that it refers to.
    beams
        Beam numbers that it refers to.
    """

    file: DicomFile
    summation: str
    dose_type: str
    plan_uids: tuple[str, ...]
    beams: tuple[int, ...]

    @property
    def name(self) -> str:
        """File name, for messages."""
        return self.file.name

    def why_no_plan_dose(self) -> str:
        """Return why this cannot be the physical (or RBE-weighted) dose of one plan; empty where it can."""
        if self.summation in _MULTI_PLAN or len(self.plan_uids) > 1:
            return f"it is a sum over plans (DoseSummationType (3004,000A) {self.summation or 'missing'})"
        found = _CONVERTED.search(_descriptions(self.file))
        return f"its description says {found.group()!r}: it is converted or summed already" if found else ""


def dose_object(file: DicomFile) -> DoseObject:
    """Return what an RTDOSE says about itself and its plan."""
    plans = file.items("ReferencedRTPlanSequence")
    groups = [group for plan in plans for group in plan.items("ReferencedFractionGroupSequence")]
    beams = [beam.integer("ReferencedBeamNumber") for group in groups for beam in group.items("ReferencedBeamSequence")]
    return DoseObject(
        file=file,
        summation=file.code("DoseSummationType"),
        dose_type=file.code("DoseType"),
        plan_uids=file.uids("ReferencedRTPlanSequence"),
        beams=tuple(number for number in beams if number is not None),
    )


def has_pixels(file: DicomFile) -> bool:
    """Return whether an RTDOSE holds a grid; it may hold DVHs or points only."""
    return all(file.value(keyword) is not None for keyword in ("Rows", "Columns", "BitsAllocated"))


def holds_other_doses(file: DicomFile) -> bool:
    """Return whether an RTDOSE holds what one without a grid is made for: DVHs, or doses of points and isodoses."""
    return bool(file.items("DVHSequence") or file.items("RTDoseROISequence"))


def _descriptions(file: DicomFile) -> str:
    texts = [file.text("DoseComment"), file.text("SeriesDescription")]
    for effect in file.items("RadiobiologicalDoseEffectSequence"):
        texts.append(effect.text("EffectiveDoseCalculationMethodDescription"))
        texts += [code.text("CodeMeaning") for code in effect.items("EffectiveDoseCalculationMethodCodeSequence")]
    return " | ".join(texts).replace("_", " ")


def check_meaning(dose: DoseObject) -> None:
    """Refuse a dose whose numbers are not Gy of something that may be summed.

    All four attributes are of type 1, and each changes the numbers by a factor or in kind: a missing one is not
    assumed. A missing Dose Summation Type, for one, could be one beam's or one fraction's dose.

    Raises
    ------
    ReirradiationError
        For relative doses, dose differences (DoseType ERROR) and missing or unknown values.
    """
    file = dose.file
    units = file.code("DoseUnits")
    if units == "RELATIVE":
        raise file.bad("DoseUnits", "is RELATIVE: percent of an unknown dose", "export the dose in Gy (absolute)")
    if units != "GY":
        raise file.bad("DoseUnits", f"is {units or 'missing'}, not GY", "export the dose in Gy")
    if dose.dose_type == "ERROR":
        raise file.bad("DoseType", "is ERROR: a difference between doses", "add the dose itself")
    if dose.dose_type not in ("PHYSICAL", "EFFECTIVE"):
        raise file.bad("DoseType", f"is {dose.dose_type or 'missing'}, not PHYSICAL or EFFECTIVE")
    if not dose.summation:
        raise file.bad(
            "DoseSummationType",
            "is missing: the dose may be that of the plan, of one beam or of one fraction",
            "export the dose with DoseSummationType PLAN",
        )


def read_dose_gy(dose: DoseObject) -> Volume:
    """Return an RTDOSE's grid, float32 Gy, in LPS, with the Frame of Reference that the file states.

    Frames are ordered along the normal of the planes, so that the grid is right-handed whatever the file's order.

    Raises
    ------
    ReirradiationError
        If the meaning, the scaling, the geometry or the pixels are missing, contradictory or impossible.
    """
    check_meaning(dose)
    file = dose.file
    scaling = _scaling(file)
    origin, step_mm, reverse = _frames(file)
    stored = stored_values(file)
    frames = file.integer("NumberOfFrames") or 1
    if stored.shape != (frames, file.integer("Rows"), file.integer("Columns")):
        raise file.bad("PixelData", f"has the shape {stored.shape}, unlike NumberOfFrames, Rows and Columns")
    if stored.min() < 0:
        raise file.bad("PixelData", "holds negative doses", "check PixelRepresentation (0028,0103) and the export")
    array = (stored * scaling).astype(np.float32)
    if reverse:
        array = array[::-1].copy()
    return Volume(array, grid_matrix(file, origin, step_mm), file.frame_of_reference)


def _scaling(file: DicomFile) -> float:
    remedy = "export the dose again: without it the stored numbers are not Gy"
    scaling = file.number("DoseGridScaling")
    if scaling is None:
        raise file.bad("DoseGridScaling", "is missing", remedy)
    if scaling <= 0:
        raise file.bad("DoseGridScaling", f"is {scaling:g}, not above 0", remedy)
    return scaling


def _frames(file: DicomFile) -> tuple[NDArray[np.float64], float, bool]:
    """Return the position of the frame lowest along the normal, the step in mm (> 0), and if the file runs down.

    Grid Frame Offset Vector (3004,000C), PS3.3 C.8.8.3.2: (a) first element 0: offsets from the first frame along the
    normal; (b) first element equal to the z of Image Position (Patient): z coordinates, in axial orientation only.
    """
    offsets = _offsets_mm(file)
    position = plane_position(file)
    relative = abs(offsets[0]) < _STEP_TOLERANCE_MM
    absolute = abs(offsets[0] - position[2]) < _STEP_TOLERANCE_MM
    if not relative and not absolute:
        raise file.bad(
            "GridFrameOffsetVector",
            f"starts with {offsets[0]:g}, which is neither 0 (relative) nor the z of ImagePositionPatient (0020,0032), "
            f"{position[2]:g} (absolute)",
        )
    if not relative and np.abs(plane_axes(file) - _AXIAL).max() > 1e-4:
        raise file.bad(
            "GridFrameOffsetVector",
            "holds absolute positions, which are defined for ImageOrientationPatient (0020,0037) 1,0,0,0,1,0 only",
        )
    span = offsets[-1] - offsets[0]
    step = abs(span) / (len(offsets) - 1)
    lowest = position + plane_axes(file)[2] * min(span, 0.0)
    return lowest, float(step), bool(span < 0)


def _offsets_mm(file: DicomFile) -> NDArray[np.float64]:
    """Return the Grid Frame Offset Vector, one value per frame, with a constant step."""
    frames = file.integer("NumberOfFrames") or 1
    offsets = file.numbers("GridFrameOffsetVector")
    if frames < 2:
        raise file.bad("NumberOfFrames", f"is {frames}: a single plane is not a dose grid", "export the whole grid")
    if offsets is None:
        raise file.bad(
            "GridFrameOffsetVector",
            f"is missing: the positions of {frames} frames are unknown, and guessing them could shift the dose",
        )
    if len(offsets) != frames:
        raise file.bad("GridFrameOffsetVector", f"has {len(offsets)} values for NumberOfFrames {frames}")
    steps = np.diff(offsets)
    if not (np.all(steps > 0) or np.all(steps < 0)):
        raise file.bad("GridFrameOffsetVector", "does not go steadily up or down")
    if np.abs(np.cumsum(steps) - steps.mean() * np.arange(1, frames)).max() > _STEP_TOLERANCE_MM * 2.5:
        raise file.bad(
            "GridFrameOffsetVector",
            f"has steps from {np.abs(steps).min():g} to {np.abs(steps).max():g} mm: uneven grids are not read",
            "export the dose on a regular grid",
        )
    return offsets


def same_grid(first: Volume, second: Volume) -> bool:
    """Return whether two doses have their voxels at the same places (to 0.01 mm)."""
    return first.array.shape == second.array.shape and bool(
        np.abs(first.corners_lps() - second.corners_lps()).max() < 0.01
    )


def require_same_grid(first: Volume, second: Volume, names: str) -> None:
    """Raise ReirradiationError if two doses cannot be added voxel by voxel."""
    if not same_grid(first, second):
        raise ReirradiationError(
            f"{names}: the beam doses are on different grids and are not added up; export the PLAN dose"
        )
