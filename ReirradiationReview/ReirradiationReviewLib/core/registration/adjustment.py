"""A registration moved by hand."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import Notice, ReirradiationError
from .course import CourseRegistration


@dataclass(frozen=True)
class Adjustment:
    """How the earlier course is moved, as it is seen over the reference.

    Parameters
    ----------
    left_mm, anterior_mm, superior_mm
        Towards the patient's left, front and head.
    pitch_degrees, roll_degrees, yaw_degrees
        Right-handed turns about the axes that point to the patient's left, head and front.
    """

    left_mm: float = 0.0
    anterior_mm: float = 0.0
    superior_mm: float = 0.0
    pitch_degrees: float = 0.0
    roll_degrees: float = 0.0
    yaw_degrees: float = 0.0

    def matrix_lps(self, centre_lps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the motion as a matrix, shape ``(4, 4)``: turns about a point (yaw, roll, pitch), then shifts.

        Parameters
        ----------
        centre_lps
            What stays in place while it is turned, shape ``(3,)``.
        """
        left, anterior, superior, pitch, roll, yaw = astuple(self)
        rotation = _turn(0, pitch) @ _turn(2, roll) @ _turn(1, -yaw)  # the axis to the front is -y in LPS
        matrix = np.eye(4)
        matrix[:3, :3] = rotation
        matrix[:3, 3] = centre_lps - rotation @ centre_lps + np.array([left, -anterior, superior])
        return matrix


def adjusted(
    registration: CourseRegistration, adjustment: Adjustment, centre_lps: NDArray[np.float64]
) -> CourseRegistration:
    """Return a registration with the earlier course moved by hand on top of it.

    Raises
    ------
    ReirradiationError
        If the registration is deformable: its field belongs to where the course lay.
    """
    transform = registration.transform
    if transform.displacement is not None:
        raise ReirradiationError(
            "a deformable registration cannot be moved by hand: adjust a rigid one, and register deformably from there"
        )
    # What is moved by M in reference space is found, for a reference point x, where M^-1 x was registered to.
    matrix = transform.matrix_lps @ np.linalg.inv(adjustment.matrix_lps(centre_lps))
    text = (
        f"the {registration.method} registration was moved by hand: {adjustment.left_mm:+.1f} mm to the left, "
        f"{adjustment.anterior_mm:+.1f} mm to the front, {adjustment.superior_mm:+.1f} mm to the head, turned by "
        f"{adjustment.pitch_degrees:+.1f} (pitch), {adjustment.roll_degrees:+.1f} (roll) and "
        f"{adjustment.yaw_degrees:+.1f} degrees (yaw); how good it is was judged by eye only"
    )
    notice = Notice("registration-by-hand", text)
    return CourseRegistration(replace(transform, matrix_lps=matrix), "manual", {}, notices=(notice,))


def _turn(axis: int, degrees: float) -> NDArray[np.float64]:
    """Return a right-handed rotation about a coordinate axis, shape ``(3, 3)``."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = c
    matrix[first, second], matrix[second, first] = -s, s
    return matrix
