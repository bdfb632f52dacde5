"""DICOM spatial registration objects (REG) to transforms between Frames of Reference (PS3.3 C.20.2, C.20.3).

An object registers one or more source frames to its own Frame of Reference, the registered one. The matrix of a rigid
or affine item leads from the source to the registered frame. A deformable item leads the other way, as ITK's
transforms do: a point ``x`` of the registered frame goes to ``Post (Pre x + u(x))`` in the source frame, with ``u``
given on a grid in the registered frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..courses import Patient
from ..errors import Notice, ReirradiationError
from ..registration.rigid_part import with_rigid_part
from ..registration.transform import SpatialTransform
from ..volume import Volume
from .objects import DicomFile, Item, patient_of, quiet_values, tag
from .scan import read_dicom_file

SPATIAL_REGISTRATION = "1.2.840.10008.5.1.4.1.1.66.1"  # PS3.4 B.5
DEFORMABLE_REGISTRATION = "1.2.840.10008.5.1.4.1.1.66.3"
# Matrices are decimal strings; some systems write five digits of a cosine.
_ORTHONORMAL_TOLERANCE = 1e-3
_SINGULAR = 1e-6
_BIG_ENDIAN = "1.2.840.10008.1.2.2"


@dataclass(frozen=True)
class SourceFrame:
    """One item: how the registered frame maps to a source frame.

    Parameters
    ----------
    frame_uid
        Frame of Reference UID of the source; empty where the item names its images only.
    image_uids
        SOP Instance UIDs of the images that the item refers to.
    from_registered
        Registered point to source point, LPS mm.
    """

    frame_uid: str
    image_uids: frozenset[str]
    from_registered: SpatialTransform


@dataclass(frozen=True)
class RegistrationObject:
    """A spatial registration object, read and checked.

    Parameters
    ----------
    registered_frame_uid
        Frame of Reference UID (0020,0052) that all sources are registered to.
    description
        Series and content description, for the reader.
    """

    name: str
    uid: str
    patient: Patient
    date: str
    description: str
    registered_frame_uid: str
    sources: tuple[SourceFrame, ...]
    notices: tuple[Notice, ...] = ()

    def frames(self, image_frames: Mapping[str, str]) -> set[str]:
        """Return the frames that the object links; see `transform` for ``image_frames``."""
        return {self.registered_frame_uid, *(_frame_of(source, image_frames) for source in self.sources)} - {""}

    def links(self, from_frame_uid: str, to_frame_uid: str, image_frames: Mapping[str, str]) -> bool:
        """Return whether the object leads from one frame to another one."""
        return from_frame_uid != to_frame_uid and {from_frame_uid, to_frame_uid} <= self.frames(image_frames)

    def transform(
        self, from_frame_uid: str, to_frame_uid: str, image_frames: Mapping[str, str] | None = None
    ) -> SpatialTransform:
        """Return the map from points of one frame to points of another, LPS mm.

        A deformation that leads the other way is inverted; see `SpatialTransform.inverse`.

        Parameters
        ----------
        image_frames
            Frame of Reference UID by SOP Instance UID of the images at hand: for items that name images only.

        Raises
        ------
        ReirradiationError
            If the object does not link the two frames.
        """
        known = image_frames or {}
        if not self.links(from_frame_uid, to_frame_uid, known):
            raise ReirradiationError(
                f"{self.name}: this registration does not lead from {tag('FrameOfReferenceUID')} "
                f"{from_frame_uid or 'unknown'} to {to_frame_uid or 'unknown'}; it links "
                f"{', '.join(sorted(self.frames(known)))}; give the registration of these two images"
            )
        start, end = self._from_registered(from_frame_uid, known), self._from_registered(to_frame_uid, known)
        if start.displacement is None:
            return _after_linear(_inverse(start.matrix_lps), end)
        if end.displacement is None:
            back = start.inverse()
            return SpatialTransform(end.matrix_lps @ back.matrix_lps, back.displacement)
        raise ReirradiationError(
            f"{self.name}: both images are deformed to a third one, and such a pair is not joined; export the "
            "registration of the two with one of them as the registered image"
        )

    def _from_registered(self, frame_uid: str, image_frames: Mapping[str, str]) -> SpatialTransform:
        found = [s.from_registered for s in self.sources if _frame_of(s, image_frames) == frame_uid]
        if frame_uid == self.registered_frame_uid:
            found.append(SpatialTransform())  # it needs no item of its own; one that moves it contradicts itself
        if any(not _same(found[0], other) for other in found[1:]):
            raise ReirradiationError(
                f"{self.name}: {tag('RegistrationSequence')} has items for one Frame of Reference ({frame_uid}) that "
                "disagree; export the registration of these two images alone"
            )
        return found[0]


def read_registration(
    path: Path, from_frame_uid: str, to_frame_uid: str, image_frames: Mapping[str, str] | None = None
) -> SpatialTransform:
    """Read how one Frame of Reference maps to another from a DICOM REG file; see `RegistrationObject.transform`.

    Returns
    -------
    SpatialTransform
        Points of ``from_frame_uid`` to points of ``to_frame_uid``, LPS mm.

    Raises
    ------
    ReirradiationError
        If the file is no spatial registration, is damaged, or does not link the two frames.
    """
    return read_registration_object(path).transform(from_frame_uid, to_frame_uid, image_frames)


def read_registration_object(path: Path) -> RegistrationObject:
    """Read a DICOM REG file, rigid or deformable.

    Raises
    ------
    ReirradiationError
        If the file is no spatial registration, or holds a transform that cannot be right.
    """
    with quiet_values():
        return registration_object(read_dicom_file(path))


def is_registration(file: DicomFile) -> bool:
    """Return whether a file is a spatial registration object."""
    return file.sop_class in (SPATIAL_REGISTRATION, DEFORMABLE_REGISTRATION)


def registration_object(file: DicomFile) -> RegistrationObject:
    """Return the registration that a DICOM file holds; see `read_registration_object`."""
    if not is_registration(file):
        raise file.bad(
            "SOPClassUID", f"is {file.sop_class}, not a spatial registration", "give a DICOM REG, or an ITK transform"
        )
    if not file.frame_of_reference:
        raise file.bad("FrameOfReferenceUID", "of the registered frame is missing")
    remarks: list[str] = []
    if file.sop_class == SPATIAL_REGISTRATION:
        sources = [_linear_source(item, remarks) for item in _required_items(file, "RegistrationSequence")]
    else:
        items = _required_items(file, "DeformableRegistrationSequence")
        sources = [_deformable_source(item, file, remarks) for item in items]
    texts = (file.text(key) for key in ("SeriesDescription", "ContentDescription", "ContentLabel"))
    return RegistrationObject(
        name=file.name,
        uid=file.uid,
        patient=patient_of(file),
        date=file.iso_date("ContentDate"),
        description=", ".join(dict.fromkeys(text for text in texts if text)),
        registered_frame_uid=file.frame_of_reference,
        sources=tuple(sources),
        notices=tuple(Notice("registration-remark", f"{file.name}: {text}", file.name) for text in remarks),
    )


def _frame_of(source: SourceFrame, image_frames: Mapping[str, str]) -> str:
    """Return an item's frame, from its images where it does not state one; empty where neither tells."""
    if source.frame_uid:
        return source.frame_uid
    frames = {image_frames[uid] for uid in source.image_uids if uid in image_frames}
    return frames.pop() if len(frames) == 1 else ""


def _required_items(item: Item, keyword: str) -> list[Item]:
    items = item.items(keyword)
    if not items:
        raise item.bad(keyword, "is missing or empty")
    return items


def _linear_source(item: Item, remarks: list[str]) -> SourceFrame:
    """Return an item of Registration Sequence (0070,0308).

    Of several matrices the first item's is applied first (PS3.3 C.20.2.1.1).
    """
    matrix = np.eye(4)
    steps = _required_items(_required_items(item, "MatrixRegistrationSequence")[0], "MatrixSequence")
    for step in steps:
        matrix = _matrix(step, remarks) @ matrix
    if len(steps) > 1:
        remarks.append(
            f"{tag('MatrixSequence')} holds {len(steps)} matrices; they were applied one after another, the first first"
        )
    to_source = SpatialTransform(_inverse(matrix))
    return SourceFrame(item.text("FrameOfReferenceUID"), _image_uids(item), to_source)


def _deformable_source(item: Item, file: DicomFile, remarks: list[str]) -> SourceFrame:
    """Return an item of Deformable Registration Sequence (0064,0002).

    ``Post (Pre x + u)`` is ``A (x + Pre^-1 u)`` with ``A = Post Pre``, exactly, and on the same grid.
    """
    pre, post = (
        _matrix(found[0], remarks) if (found := item.items(keyword)) else np.eye(4)
        for keyword in ("PreDeformationMatrixRegistrationSequence", "PostDeformationMatrixRegistrationSequence")
    )
    grids = item.items("DeformableRegistrationGridSequence")
    transform = SpatialTransform(post @ pre)
    if grids:
        grid = _grid(grids[0], file, remarks)
        vectors = (grid.array @ np.linalg.inv(pre[:3, :3]).T).astype(np.float32)
        if np.allclose(pre, np.eye(4)) and np.allclose(post, np.eye(4)):
            # The field alone carries the whole motion.
            transform = with_rigid_part(SpatialTransform(displacement=grid.like(vectors)))
        else:
            vectors[~np.isfinite(vectors)] = 0.0
            transform = SpatialTransform(post @ pre, grid.like(vectors))
    return SourceFrame(item.text("SourceFrameOfReferenceUID"), _image_uids(item), transform)


def _image_uids(item: Item) -> frozenset[str]:
    return frozenset(item.uids("ReferencedImageSequence"))


def _matrix(item: Item, remarks: list[str]) -> NDArray[np.float64]:
    keyword = "FrameOfReferenceTransformationMatrix"
    values = item.numbers(keyword, 16)
    if values is None:
        raise item.bad(keyword, "is missing")
    matrix = values.reshape(4, 4)
    if not np.allclose(matrix[3], [0, 0, 0, 1], atol=1e-6):
        raise item.bad(keyword, "does not end with the row 0 0 0 1, so it is no affine map (or stored by columns)")
    determinant = float(np.linalg.det(matrix[:3, :3]))
    if determinant < _SINGULAR:
        what = "mirrors left and right" if determinant < -_SINGULAR else "maps space onto a plane"
        raise item.bad(keyword, what, "a registration of one patient cannot do this; make it again")
    kind = item.code("FrameOfReferenceTransformationMatrixType")
    if kind == "RIGID" and not np.allclose(matrix[:3, :3].T @ matrix[:3, :3], np.eye(3), atol=_ORTHONORMAL_TOLERANCE):
        remarks.append(f"{tag(keyword)} is called RIGID but scales or shears; it was used as it stands")
    return matrix


def _grid(item: Item, file: DicomFile, remarks: list[str]) -> Volume:
    """Return the displacements of Deformable Registration Grid Sequence (0064,0005), mm, on the registered frame."""
    size = _positive(item, "GridDimensions").astype(int)
    resolution_mm = _positive(item, "GridResolution")
    position, orientation = item.numbers("ImagePositionPatient", 3), item.numbers("ImageOrientationPatient", 6)
    if position is None or orientation is None:
        missing = "ImagePositionPatient" if position is None else "ImageOrientationPatient"
        raise item.bad(missing, "of the deformation grid is missing")
    row, column = orientation[:3], orientation[3:]
    axes = np.column_stack([row, column, np.cross(row, column)])
    if not np.allclose(axes.T @ axes, np.eye(3), atol=_ORTHONORMAL_TOLERANCE):
        raise item.bad("ImageOrientationPatient", "of the deformation grid is not two unit vectors at a right angle")
    matrix = np.eye(4)
    matrix[:3, :3] = axes * resolution_mm
    matrix[:3, 3] = position
    return Volume(_vectors(item, file, size, remarks), matrix, file.frame_of_reference)


def _positive(item: Item, keyword: str) -> NDArray[np.float64]:
    values = item.numbers(keyword, 3)
    if values is None or not np.all(values > 0):
        raise item.bad(keyword, "has to be three positive numbers")
    return values


def _vectors(item: Item, file: DicomFile, size_ijk: NDArray[np.int_], remarks: list[str]) -> NDArray[np.floating]:
    data = item.value("VectorGridData")
    expected = int(np.prod(size_ijk)) * 12  # PS3.3 C.20.3.1.3
    if not isinstance(data, bytes) or len(data) != expected:
        found = len(data) if isinstance(data, bytes) else 0
        raise item.bad("VectorGridData", f"has {found} bytes instead of {expected}")
    syntax = file.dataset.file_meta.get("TransferSyntaxUID") if hasattr(file.dataset, "file_meta") else None
    vectors = np.frombuffer(data, ">f4" if syntax == _BIG_ENDIAN else "<f4").astype(np.float32)
    vectors = vectors.reshape(*size_ijk[::-1], 3)
    undefined = np.any(~np.isfinite(vectors), axis=-1)
    if undefined.all():
        raise item.bad("VectorGridData", "holds no defined vector")
    if undefined.any():
        remarks.append(
            f"the deformation is undefined at {undefined.mean():.1%} of its grid; its rigid motion alone was applied "
            "there"
        )
    return vectors


def _after_linear(matrix: NDArray[np.float64], transform: SpatialTransform) -> SpatialTransform:
    """Return ``x -> transform(matrix x)``: the grid of displacements is carried to where x lives."""
    grid = transform.displacement
    if grid is not None and not np.array_equal(matrix, np.eye(4)):
        back = _inverse(matrix)
        vectors = (grid.array @ back[:3, :3].T).astype(grid.array.dtype)
        grid = Volume(vectors, back @ grid.index_to_lps)
    return SpatialTransform(transform.matrix_lps @ matrix, grid)


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def _same(first: SpatialTransform, second: SpatialTransform) -> bool:
    if first.displacement is not None or second.displacement is not None:
        return False
    return bool(np.allclose(first.matrix_lps, second.matrix_lps, atol=1e-4))
