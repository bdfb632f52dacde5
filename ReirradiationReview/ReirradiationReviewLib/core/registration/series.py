"""Registration of a PET or MR series onto the planning CT."""

from __future__ import annotations

import time

from ..courses import ImageSeries
from ..errors import Progress, ReirradiationError, no_progress, part_of
from .pair import Pair
from .refine import FINE
from .rigid import LEAST_OVERLAP, RegistrationResult, RigidOptions, ct_subject, register_rigid
from .shifts import information_of_shifts
from .similarity import Agreement, shared_information
from .subject import MIDDLE_MM, Subject, focused, prepare_other
from .transform import SpatialTransform

# Pairs of one patient reached an informational coefficient of 0.71 (a thigh whose knee was bent in the MR), 0.78 and
# 0.91 to 0.94; a head and neck on a thigh 0.52 to 0.68.
_LEAST_INFORMATION = 0.69


def register_series(
    ct: ImageSeries,
    series: ImageSeries,
    progress: Progress = no_progress,
    through: ImageSeries | None = None,
    options: RigidOptions | None = None,
) -> RegistrationResult:
    """Find the rigid transform from points of the planning CT to points of another series of the patient.

    Parameters
    ----------
    ct
        The planning CT.
    series
        PET, MR or another CT. One in the CT's Frame of Reference (0020,0052) needs no registration.
    through
        The CT of a PET/CT, in the Frame of Reference of ``series``: it is registered instead, which is surer.
    progress
        Called in every step; may raise `Cancelled`, and nothing is left behind then.

    Raises
    ------
    ReirradiationError
        If an image shows no body, or ``through`` has another Frame of Reference than ``series``.
    """
    frame = series.volume.frame_of_reference_uid
    if frame and frame == ct.volume.frame_of_reference_uid:
        return RegistrationResult(SpatialTransform(), "", 0.0, "identity", {"same_frame_of_reference": True})
    if through is not None:
        if not frame or through.volume.frame_of_reference_uid != frame:
            raise ReirradiationError(
                f"the CT given to register the {series.modality} through has another FrameOfReferenceUID (0020,0052) "
                f"({through.volume.frame_of_reference_uid or 'missing'}) than the {series.modality} "
                f"({frame or 'missing'}): give the CT of the same examination"
            )
        return register_rigid(ct.volume, through.volume, progress, options)
    if series.modality == "CT":
        return register_rigid(ct.volume, series.volume, progress, options)
    return _by_information(ct_subject(ct.volume, "planning"), _subject(series), progress, options or RigidOptions())


def _subject(series: ImageSeries) -> Subject:
    subject = prepare_other(series.volume)
    if subject is None:
        raise ReirradiationError(f"the {series.modality} series {series.description!r} shows nothing: check the series")
    return subject


def _by_information(
    reference: Subject, moving: Subject, progress: Progress, options: RigidOptions
) -> RegistrationResult:
    started = time.perf_counter()
    pair = Pair(reference, moving, information_of_shifts, shared_information, options.seed)
    region = None if options.focus is None else focused(reference, options.focus)
    found = pair.begun(options.start_lps, part_of(progress, 0.0, 0.5))
    if found is None:
        reason = "no alignment of the two images was found"
        return RegistrationResult(SpatialTransform(), reason, time.perf_counter() - started)
    coarse, matrix = found
    matrix = pair.refined(matrix, FINE, region, part_of(progress, 0.5, 0.9))
    final = shared_information(reference, moving, matrix, MIDDLE_MM)
    reason = _reason(final, coarse, pair.mirrored_agreement(part_of(progress, 0.9, 1.0)))
    qa = {
        "similarity": final.correlation,
        "similarity_name": "informational coefficient of correlation in the overlap",
        "overlap_fraction": final.overlap_fraction,
    }
    return RegistrationResult(SpatialTransform(matrix), reason, time.perf_counter() - started, "rigid", qa)


def _reason(final: Agreement, coarse: Agreement, mirror: Agreement) -> str:
    """Return why a result must not be used; empty if it may."""
    if final.overlap_fraction < LEAST_OVERLAP:
        return f"the images share only {final.overlap_fraction:.0%} of the body ({LEAST_OVERLAP:.0%} are needed)"
    if not final.correlation >= _LEAST_INFORMATION:
        return (
            f"the images tell too little of each other ({final.correlation:.2f}, {_LEAST_INFORMATION} is needed, as "
            "informational coefficient of correlation)"
        )
    if mirror.score > coarse.score:
        return "the series' mirror image fits better than the series itself: left and right may be swapped"
    return ""
