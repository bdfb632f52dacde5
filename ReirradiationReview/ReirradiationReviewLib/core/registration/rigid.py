"""Rigid registration of two CTs of one patient, from any start."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from ..errors import Progress, ReirradiationError, no_progress, part_of
from ..volume import Volume
from .pair import Pair
from .refine import FINE, Matrix
from .shifts import correlation_of_shifts
from .similarity import Agreement, agreement
from .subject import AIR_HU, MIDDLE_MM, Subject, focused, prepare
from .transform import SpatialTransform

# Pairs of one patient reached a correlation of 0.96 and more (head and neck, synthetic chest, half the field of view
# cut off); a mirrored patient 0.82 and 0.87; another body region, and slabs without overlap, 0.35 and less.
LEAST_CORRELATION = 0.75
LEAST_OVERLAP = 0.25


@dataclass(frozen=True)
class RegistrationResult:
    """A rigid transform and what speaks for or against it.

    Parameters
    ----------
    transform
        Maps reference points to moving points, LPS mm. Not to be used where ``failed``.
    failure_reason
        Plain words; empty where the registration may be used.
    method
        ``"rigid"``, or ``"identity"`` where nothing needed to be found.
    qa
        Figures for the report, the unit in the name.
    """

    transform: SpatialTransform
    failure_reason: str
    seconds: float
    method: str = "rigid"
    qa: dict[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether the transform must not be used."""
        return bool(self.failure_reason)


@dataclass(frozen=True)
class RigidOptions:
    """How a rigid registration is guided.

    Parameters
    ----------
    start_lps
        Where to begin, a rigid matrix of shape ``(4, 4)`` from reference to moving points, as from paired landmarks or
        a manual alignment; None searches everywhere.
    focus
        Mask in the reference's space (above 0: inside), the region that must fit best, e.g. the vertebrae beside the
        cord; None for the whole body.
    seed
        Of the random choice of metric samples, so that results repeat.
    """

    start_lps: Matrix | None = None
    focus: Volume | None = None
    seed: int = 1


def register_rigid(
    reference: Volume, moving: Volume, progress: Progress = no_progress, options: RigidOptions | None = None
) -> RegistrationResult:
    """Find the rigid transform from reference points to moving points by mutual information.

    Parameters
    ----------
    reference, moving
        CTs in HU.
    progress
        Called in every step; may raise `Cancelled`, and nothing is left behind then.

    Raises
    ------
    ReirradiationError
        If one of the CTs shows no body, or the focus lies outside the reference's body.
    """
    started = time.perf_counter()
    options = options or RigidOptions()
    subject = ct_subject(reference, "reference")
    pair = Pair(subject, ct_subject(moving, "earlier"), correlation_of_shifts, agreement, options.seed)
    region = None if options.focus is None else focused(subject, options.focus)
    found = pair.begun(options.start_lps, part_of(progress, 0.0, 0.5))
    if found is None:
        reason = "no alignment of the two CTs was found"
        return RegistrationResult(SpatialTransform(), reason, time.perf_counter() - started)
    coarse, matrix = found
    matrix = pair.refined(matrix, FINE, region, part_of(progress, 0.5, 0.9))
    final = agreement(subject, pair.moving, matrix, MIDDLE_MM)
    reason = _reason(final, coarse, pair.mirrored_agreement(part_of(progress, 0.9, 1.0)))
    qa = _figures(final)
    if region is not None:
        qa["similarity_in_focus"] = agreement(subject, pair.moving, matrix, MIDDLE_MM, region).correlation
    return RegistrationResult(SpatialTransform(matrix), reason, time.perf_counter() - started, "rigid", qa)


def ct_subject(ct: Volume, role: str, air_hu: float = AIR_HU) -> Subject:
    """Return a CT in HU ready for registration; ReirradiationError, naming its role, where it shows no body."""
    subject = prepare(ct, air_hu)
    if subject is None:
        raise ReirradiationError(
            f"the {role} CT shows no body (nothing denser than air): check the series, or give --registration a file"
        )
    return subject


def _figures(final: Agreement) -> dict[str, Any]:
    return {
        "similarity": final.correlation,
        "similarity_name": "correlation of HU in the overlap",
        "bone_dice": final.bone_dice,
        "overlap_fraction": final.overlap_fraction,
    }


def _reason(final: Agreement, coarse: Agreement, mirror: Agreement) -> str:
    """Return why a result must not be used; empty if it may. A correlation says little of a few millimetres."""
    if final.overlap_fraction < LEAST_OVERLAP:
        return f"the scans share only {final.overlap_fraction:.0%} of the body ({LEAST_OVERLAP:.0%} are needed)"
    if not final.correlation >= LEAST_CORRELATION:
        return f"the scans correlate by only {final.correlation:.2f} where they overlap ({LEAST_CORRELATION} is needed)"
    if mirror.score > coarse.score:
        return "the mirror image of the earlier scan fits better than the scan itself: left and right may be swapped"
    return ""
