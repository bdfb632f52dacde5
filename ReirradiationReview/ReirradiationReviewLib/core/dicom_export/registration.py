"""A course's registration as a DICOM spatial registration object (REG) that other systems can load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..courses import Course, ImageSeries
from ..errors import Notice, ReirradiationError
from ..registration.transform import SpatialTransform
from .grid import planes_along_normal
from .objects import LO_LENGTH, decimals, new_object, save, sop_reference

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SPATIAL_REGISTRATION = "1.2.840.10008.5.1.4.1.1.66.1"  # PS3.4 B.5
DEFORMABLE_REGISTRATION = "1.2.840.10008.5.1.4.1.1.66.3"
# PS3.16 CID 7100, for registrations that were made from the images here; of others nothing is claimed.
_FROM_IMAGE_CONTENT = ("125024", "DCM", "Image Content-based Alignment")
_MADE_FROM_IMAGES = ("rigid", "deformable")
_CONTENT_LABEL = "REGISTRATION"
_ORTHONORMAL_TOLERANCE = 1e-6


def write_registration(
    path: Path, transform: SpatialTransform, reference: Course, course: Course, *, method: str, software_version: str
) -> tuple[str, str, tuple[Notice, ...]]:
    """Write how an earlier course lies on the reference: Spatial, or Deformable Spatial Registration (PS3.3 C.20).

    The registered frame is the reference's, so that a reader brings the earlier course to the new plan. A linear
    transform is written as the matrix from the course's to the reference's frame, which is the inverse of ours. A
    deformable one is written in our own direction: as displacements on the reference's frame, followed by our matrix.

    Parameters
    ----------
    transform
        Reference points to course points, LPS mm.
    method
        How it was made: ``"rigid"`` and ``"deformable"`` stand for registrations of the images.

    Returns
    -------
    sop_class_uid, sop_instance_uid, notices

    Raises
    ------
    ReirradiationError
        If both courses lie in one Frame of Reference or one has none, the matrix is singular, or the file cannot be
        written.
    """
    frames = reference.frame_of_reference_uid, course.frame_of_reference_uid
    if not all(frames) or frames[0] == frames[1]:
        raise ReirradiationError(
            f"{path.name}: a registration object needs two Frames of Reference (0020,0052), but that of "
            f"{reference.label} is {frames[0] or 'missing'} and that of {course.label} is {frames[1] or 'missing'}"
        )
    if abs(np.linalg.det(transform.matrix_lps[:3, :3])) < _ORTHONORMAL_TOLERANCE:
        raise ReirradiationError(f"{path.name}: the matrix is singular and cannot be a registration; register again")
    deformable = transform.displacement is not None
    kind = DEFORMABLE_REGISTRATION if deformable else SPATIAL_REGISTRATION
    dataset, notices = new_object(kind, "REG", reference, software_version)
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = frames[0], ""
    dataset.SeriesDescription = f"{course.label} to {reference.label}, {method}"[:LO_LENGTH]
    dataset.ContentLabel, dataset.ContentCreatorName = _CONTENT_LABEL, ""
    dataset.ContentDescription = dataset.SeriesDescription
    dataset.DeviceSerialNumber = "not applicable"  # type 1 in the Enhanced General Equipment Module (PS3.3 C.7.5.2)
    codes = [_type_code()] if method in _MADE_FROM_IMAGES else []
    items = [_item(*side, codes, deformable) for side in ((reference, SpatialTransform()), (course, transform))]
    if deformable:
        dataset.DeformableRegistrationSequence = items
    else:
        dataset.RegistrationSequence = items
    _refer_to_images(dataset, reference.ct, course.ct)
    save(dataset, path)
    return kind, str(dataset.SOPInstanceUID), tuple(notices)


def _item(course: Course, transform: SpatialTransform, codes: list[Dataset], deformable: bool) -> Dataset:
    """Return the item of one course's frame; ``transform`` leads from the registered frame to it."""
    from pydicom.dataset import Dataset

    item = Dataset()
    images = _image_references(course.ct)
    if images:
        item.ReferencedImageSequence = images
    if deformable:
        item.SourceFrameOfReferenceUID = course.frame_of_reference_uid
        item.RegistrationTypeCodeSequence = codes
        if transform.displacement is not None:
            item.DeformableRegistrationGridSequence = [_grid(transform)]
            item.PreDeformationMatrixRegistrationSequence = [_matrix(np.eye(4))]
            item.PostDeformationMatrixRegistrationSequence = [_matrix(transform.matrix_lps)]
        return item
    item.FrameOfReferenceUID = course.frame_of_reference_uid
    registration = Dataset()
    registration.RegistrationTypeCodeSequence = codes
    registration.MatrixSequence = [_matrix(np.linalg.inv(transform.matrix_lps))]
    item.MatrixRegistrationSequence = [registration]
    return item


def _type_code() -> Dataset:
    from pydicom.dataset import Dataset

    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = _FROM_IMAGE_CONTENT
    return code


def _matrix(matrix: NDArray[np.floating]) -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.FrameOfReferenceTransformationMatrixType = _matrix_type(matrix[:3, :3])
    item.FrameOfReferenceTransformationMatrix = decimals(matrix.ravel())
    return item


def _matrix_type(linear: NDArray[np.floating]) -> str:
    """Return RIGID, RIGID_SCALE (a rotation followed by a scaling of each axis, PS3.17 P) or AFFINE."""
    product = linear @ linear.T
    if np.allclose(product, np.eye(3), atol=_ORTHONORMAL_TOLERANCE) and np.linalg.det(linear) > 0:
        return "RIGID"
    diagonal = np.diag(np.diag(product))
    return "RIGID_SCALE" if np.allclose(product, diagonal, atol=_ORTHONORMAL_TOLERANCE) else "AFFINE"


def _grid(transform: SpatialTransform) -> Dataset:
    """Return an item of Deformable Registration Grid Sequence (0064,0005): float32 vectors in mm, x running first."""
    from pydicom.dataset import Dataset

    assert transform.displacement is not None
    grid = planes_along_normal(transform.displacement, "deformation")
    spacing_mm = grid.spacing_mm
    axes = grid.index_to_lps[:3, :3] / spacing_mm
    item = Dataset()
    item.ImagePositionPatient = decimals(grid.index_to_lps[:3, 3])
    item.ImageOrientationPatient = decimals(np.concatenate([axes[:, 0], axes[:, 1]]))
    item.GridDimensions = list(grid.shape_ijk)
    item.GridResolution = spacing_mm.tolist()
    item.VectorGridData = np.ascontiguousarray(grid.array, dtype="<f4").tobytes()
    return item


def _image_references(ct: ImageSeries | None) -> list[Dataset]:
    if ct is None or not ct.sop_class_uid:
        return []
    return [sop_reference(ct.sop_class_uid, uid) for uid in ct.sop_instance_uids if uid]


def _refer_to_images(dataset: Dataset, reference: ImageSeries | None, course: ImageSeries | None) -> None:
    """Add the Common Instance Reference Module (PS3.3 C.12.2): what lies in our own study, and what in others."""
    from pydicom.dataset import Dataset

    own, other = [], []
    for ct in (reference, course):
        images = _image_references(ct)
        if ct is None or not ct.series_uid or not images:
            continue
        series = Dataset()
        series.SeriesInstanceUID = ct.series_uid
        series.ReferencedInstanceSequence = images
        if ct.study_uid == dataset.StudyInstanceUID:
            own.append(series)
        elif ct.study_uid:
            study = Dataset()
            study.StudyInstanceUID = ct.study_uid
            study.ReferencedSeriesSequence = [series]
            other.append(study)
    if own:
        dataset.ReferencedSeriesSequence = own
    if other:
        dataset.StudiesContainingOtherReferencedInstancesSequence = other
