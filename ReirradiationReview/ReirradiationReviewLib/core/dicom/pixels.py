"""Stored pixel values of a file, whatever its transfer syntax."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ReirradiationError
from .objects import DicomFile, unreadable
from .scan import require_complete

# By whether the VR is implicit and the byte order little endian (PS3.5 annex A).
_NATIVE_SYNTAX = {
    (True, True): "1.2.840.10008.1.2",
    (False, True): "1.2.840.10008.1.2.1",
    (False, False): "1.2.840.10008.1.2.2",
}


def stored_values(file: DicomFile) -> NDArray[Any]:
    """Return the stored integers of a single-channel object, shape ``(rows, columns)`` or ``(frames, rows, columns)``.

    Raises
    ------
    ReirradiationError
        If the file is cut short, has no pixel data, or is compressed in a way that no installed decoder knows.
    """
    import pydicom
    from pydicom.uid import UID

    try:
        dataset = pydicom.dcmread(file.path, force=True)
        require_complete(dataset)
    except unreadable() as error:
        raise ReirradiationError(f"{file.name}: the file is cut short or damaged ({error}); export it again") from error
    if "PixelData" not in dataset:
        raise file.bad("PixelData", "is missing")
    if "TransferSyntaxUID" not in dataset.file_meta:  # a file without meta group: pydicom has seen how it is written
        is_implicit, is_little = map(bool, dataset.original_encoding)
        dataset.file_meta.TransferSyntaxUID = UID(_NATIVE_SYNTAX[is_implicit, is_little])
    try:
        values = dataset.pixel_array
    except unreadable() as error:
        return _stored_values_gdcm(file, dataset.file_meta.get("TransferSyntaxUID"), error)
    if file.integer("SamplesPerPixel") not in (None, 1):
        raise file.bad("SamplesPerPixel", "is not 1: this is a colour image")
    return np.asarray(values)


def _stored_values_gdcm(file: DicomFile, syntax: Any, error: Exception) -> NDArray[Any]:
    """Decode with SimpleITK's GDCM, which knows the JPEG family that pydicom needs further packages for."""
    import SimpleITK as sitk

    complaint = f"{file.name}: PixelData (7FE0,0010) cannot be decoded (transfer syntax {syntax}: {error}); "
    is_compressed = syntax is not None and syntax.is_transfer_syntax and syntax.is_encapsulated
    if not is_compressed or file.value("NumberOfFrames"):
        raise ReirradiationError(complaint + "export the object again") from error
    try:
        image = sitk.ReadImage(str(file.path), imageIO="GDCMImageIO")
    except RuntimeError as failure:
        raise ReirradiationError(complaint + "export the object uncompressed") from failure
    # GDCM has applied the slope and intercept already.
    rescaled = sitk.GetArrayFromImage(image)[0].astype(np.float64)
    slope, intercept = rescale_of(file)
    return np.asarray(np.rint((rescaled - intercept) / slope))


def rescale_of(file: DicomFile) -> tuple[float, float]:
    """Return Rescale Slope (0028,1053) and Intercept (0028,1052); 1 and 0 where absent (PS3.3 C.11.1)."""
    slope, intercept = file.number("RescaleSlope"), file.number("RescaleIntercept")
    if slope == 0:
        raise file.bad("RescaleSlope", "is 0")
    return 1.0 if slope is None else slope, 0.0 if intercept is None else intercept
