"""Transforms in and out of files. Everything maps reference points to course points, LPS, mm (ITK's direction)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ReirradiationError
from ..volume import Volume
from .rigid_part import with_rigid_part
from .transform import SpatialTransform

if TYPE_CHECKING:
    import SimpleITK

_TRANSFORM_SUFFIXES = (".tfm", ".txt", ".h5", ".hdf5", ".mat", ".xfm")
_FIELD_SUFFIXES = (".mha", ".mhd", ".nrrd", ".nii", ".gz")
# A deformation that is not a displacement field already is sampled on the reference image, at this pitch.
_FIELD_PITCH_MM = 4.0


def identity_transform(reference_uid: str, course_uid: str) -> SpatialTransform:
    """Return the identity, which holds only within one Frame of Reference.

    Raises
    ------
    ReirradiationError
        If the Frame of Reference UIDs (0020,0052) differ or are missing.
    """
    if not reference_uid or reference_uid != course_uid:
        raise ReirradiationError(
            "identity registration needs one Frame of Reference, but FrameOfReferenceUID (0020,0052) is "
            f"{reference_uid or 'missing'} in the reference and {course_uid or 'missing'} in the other course; "
            "use rigid registration or a transform file"
        )
    return SpatialTransform()


def read_transform(path: Path, reference: Volume) -> SpatialTransform:
    """Read a transform or a displacement field.

    Parameters
    ----------
    path
        ITK transform (.tfm, .txt, .h5, .mat, .xfm), or an image of displacement vectors in mm, LPS (.mha, .nrrd, .nii).
    reference
        The reference CT: where a deformation of another kind is sampled.

    Raises
    ------
    ReirradiationError
        If the file cannot be read, or does not hold a transform of 3D space.
    """
    import SimpleITK as sitk

    name = path.name.lower()
    try:
        if name.endswith(_TRANSFORM_SUFFIXES):
            return _from_sitk(sitk.ReadTransform(str(path)), reference, path)
        if name.endswith(_FIELD_SUFFIXES):
            return _from_field(sitk.ReadImage(str(path)), path)
    except RuntimeError as error:
        raise ReirradiationError(
            f"{path.name} cannot be read as a transform or displacement field; write it again with ITK or Slicer "
            f"({_last_line(error)})"
        ) from error
    raise ReirradiationError(
        f"{path.name}: transforms are read from {', '.join(_TRANSFORM_SUFFIXES)} and displacement fields from "
        f"{', '.join(_FIELD_SUFFIXES)}"
    )


def write_transform(path: Path, transform: SpatialTransform) -> None:
    """Write an ITK transform file that SimpleITK and Slicer read: .tfm for a linear one, .h5 with a displacement."""
    import SimpleITK as sitk

    try:
        sitk.WriteTransform(transform.to_sitk(), str(path))
    except RuntimeError as error:
        raise ReirradiationError(f"{path.name} cannot be written: {_last_line(error)}") from error


def _from_sitk(transform: SimpleITK.Transform, reference: Volume, path: Path) -> SpatialTransform:
    import SimpleITK as sitk

    if transform.GetDimension() != 3:
        raise ReirradiationError(f"{path.name} holds a {transform.GetDimension()}D transform; a 3D one is needed")
    if _is_linear(transform):
        matrix = _matrix_of(transform)
        if abs(np.linalg.det(matrix[:3, :3])) < 1e-6:
            raise ReirradiationError(f"{path.name} holds a singular matrix, which maps space onto a plane")
        return SpatialTransform(matrix)
    alone = transform.Downcast()
    if isinstance(alone, sitk.DisplacementFieldTransform):
        return _from_field(alone.GetDisplacementField(), path)
    exact = _displacement_then_linear(transform)
    if exact is not None:
        return SpatialTransform(exact[0], _finite(Volume.from_sitk(exact[1]), path))
    spacing = np.maximum(reference.spacing_mm, _FIELD_PITCH_MM)
    size = np.ceil((np.array(reference.shape_ijk) - 1) * reference.spacing_mm / spacing).astype(int) + 1
    direction = (reference.index_to_lps[:3, :3] / reference.spacing_mm).ravel().tolist()
    origin = reference.index_to_lps[:3, 3].tolist()
    field = sitk.TransformToDisplacementField(
        transform, sitk.sitkVectorFloat64, size.tolist(), origin, spacing.tolist(), direction
    )
    return with_rigid_part(SpatialTransform(displacement=Volume.from_sitk(field, reference.frame_of_reference_uid)))


def _displacement_then_linear(transform: SimpleITK.Transform) -> tuple[NDArray[np.float64], SimpleITK.Image] | None:
    """Return the matrix and the field it follows, joined as `SpatialTransform.to_sitk` joins them; else None."""
    import SimpleITK as sitk

    joined = transform.Downcast()
    if not isinstance(joined, sitk.CompositeTransform) or joined.GetNumberOfTransforms() != 2:
        return None
    linear, field = (joined.GetNthTransform(n).Downcast() for n in range(2))
    if not isinstance(field, sitk.DisplacementFieldTransform) or not _is_linear(linear):
        return None
    return _matrix_of(linear), field.GetDisplacementField()


def _is_linear(transform: SimpleITK.Transform) -> bool:
    import SimpleITK as sitk

    plain = transform.Downcast()
    if isinstance(plain, sitk.CompositeTransform):
        return all(_is_linear(plain.GetNthTransform(n)) for n in range(plain.GetNumberOfTransforms()))
    return bool(plain.IsLinear())


def _matrix_of(transform: SimpleITK.Transform) -> NDArray[np.float64]:
    """Return the matrix of a linear transform from where it takes the origin and the three axes."""
    corners = np.vstack([np.zeros(3), np.eye(3)])
    moved = np.array([transform.TransformPoint(corner.tolist()) for corner in corners])
    matrix = np.eye(4)
    matrix[:3, :3] = (moved[1:] - moved[0]).T
    matrix[:3, 3] = moved[0]
    return matrix


def _from_field(image: SimpleITK.Image, path: Path) -> SpatialTransform:
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 3:
        raise ReirradiationError(
            f"{path.name} is not a displacement field: it needs three dimensions and three components in mm, LPS"
        )
    return with_rigid_part(SpatialTransform(displacement=_finite(Volume.from_sitk(image), path)))


def _finite(field: Volume, path: Path) -> Volume:
    if not np.all(np.isfinite(field.array)):
        raise ReirradiationError(f"{path.name} holds displacements that are not numbers")
    return field


def _last_line(error: Any) -> str:
    return str(error).strip().splitlines()[-1].strip()
