"""CT, PET and MR series as DICOM files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..volume import Volume
from . import case_data as data
from .dicom_base import SYNTHETIC, Study, decimal, item, new_object, save
from .shapes import Array

CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"
MR_CLASS = "1.2.840.10008.5.1.4.1.1.4"
PET_CLASS = "1.2.840.10008.5.1.4.1.1.128"

# 18F: half life in seconds (Radionuclide Half Life, DICOM PS3.16 examples use 6586.2).
F18_HALF_LIFE_S = 6586.2
INJECTED_BQ = 3.1e8
INJECTION_TIME, PET_TIME = "091500", "101700"
_UPTAKE_S = 62 * 60.0
_FRAME_S = 180.0


def suv_per_bqml() -> float:
    """Return the factor from Bq/mL, decay-corrected to the start of the scan, to SUV by body weight, g/mL."""
    return float(data.WEIGHT_KG * 1000.0 / (INJECTED_BQ * 0.5 ** (_UPTAKE_S / F18_HALF_LIFE_S)))


def image_uid(study: Study, modality: str, k: int) -> str:
    """Return the SOP Instance UID of slice k of a series."""
    return study.uid(modality, k + 1)


def write_series(
    folder: Path, study: Study, volume: Volume, modality: str, finish: Callable[[Any, Array, int], None]
) -> None:
    """Write one file per slice; ``finish`` adds what the modality needs, given dataset, slice values and k."""
    folder.mkdir(parents=True, exist_ok=True)
    sop_class = {"CT": CT_CLASS, "MR": MR_CLASS, "PT": PET_CLASS}[modality]
    for k, plane in enumerate(volume.array):
        dataset = new_object(study, sop_class, modality, k + 1, f"{modality} {study.description}"[:64])
        _add_plane(dataset, study, volume, k)
        finish(dataset, plane, k)
        save(dataset, folder / f"{modality}_{k + 1:03d}.dcm")


def _add_plane(dataset: Any, study: Study, volume: Volume, k: int) -> None:
    spacing = volume.spacing_mm
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = study.frame_uid, ""
    dataset.ImagePositionPatient = [decimal(round(float(c), 4)) for c in volume.to_lps(np.array([[0, 0, k]]))[0]]
    dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    dataset.PixelSpacing = [decimal(round(float(s), 4)) for s in spacing[1::-1]]
    dataset.SliceThickness = decimal(round(float(spacing[2]), 4))
    dataset.PatientPosition = "HFS"
    dataset.BodyPartExamined = "CHEST"
    dataset.ContentDate = dataset.AcquisitionDate = study.date
    dataset.ContentTime = dataset.AcquisitionTime = study.time
    dataset.AcquisitionNumber = 1
    dataset.ImageComments = SYNTHETIC
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = volume.array.shape[1:3]


def _set_pixels(dataset: Any, stored: Array) -> None:
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    dataset.PixelData = stored.astype(stored.dtype.newbyteorder("<")).tobytes()


def finish_ct(dataset: Any, plane: Array, _k: int) -> None:
    """Add the CT Image module; values in HU."""
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.KVP, dataset.ConvolutionKernel = "120", "SOFT"
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "-1024", "1", "HU"
    dataset.WindowCenter, dataset.WindowWidth = "40", "400"
    _set_pixels(dataset, (plane.astype(np.int32) + 1024).astype(np.uint16))


def finish_mr(dataset: Any, plane: Array, _k: int) -> None:
    """Add the MR Image module of a T1-weighted spin echo with 5 mm slices and a 1 mm gap."""
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    dataset.ScanningSequence, dataset.SequenceVariant, dataset.ScanOptions = "SE", "NONE", ""
    dataset.MRAcquisitionType, dataset.MagneticFieldStrength = "2D", "1.5"
    dataset.RepetitionTime, dataset.EchoTime, dataset.EchoTrainLength, dataset.FlipAngle = "550", "11", "1", "90"
    dataset.SpacingBetweenSlices, dataset.SliceThickness = dataset.SliceThickness, "5"
    dataset.WindowCenter, dataset.WindowWidth = "450", "1000"
    _set_pixels(dataset, plane.astype(np.uint16))


def pet_finisher(slices: int) -> Callable[[Any, Array, int], None]:
    """Return what adds the PET modules; the planes are SUV and are stored as Bq/mL with a slope per slice."""

    def finish(dataset: Any, plane: Array, k: int) -> None:
        activity = plane.astype(np.float64) / suv_per_bqml()
        slope = decimal(max(float(activity.max()), 1.0) / 32767.0)
        dataset.ImageType = ["ORIGINAL", "PRIMARY"]
        dataset.RescaleIntercept, dataset.RescaleSlope = "0", slope
        dataset.ImageIndex, dataset.NumberOfSlices = slices - k, slices  # PET counts from the head
        _add_pet_series(dataset)
        _add_tracer(dataset)
        _set_pixels(dataset, np.minimum(np.round(activity / float(slope)), 32767).astype(np.int16))

    return finish


def _add_pet_series(dataset: Any) -> None:
    decay = np.log(2.0) / F18_HALF_LIFE_S * _FRAME_S
    dataset.Units, dataset.CountsSource, dataset.DecayCorrection = "BQML", "EMISSION", "START"
    dataset.SeriesType = ["STATIC", "IMAGE"]
    dataset.CorrectedImage = ["NORM", "DTIM", "ATTN", "SCAT", "DECY", "RAN"]
    dataset.CollimatorType, dataset.ReconstructionMethod = "NONE", "synthetic"
    dataset.AttenuationCorrectionMethod, dataset.ScatterCorrectionMethod = "CT", "synthetic"
    dataset.RandomsCorrectionMethod = "DLYD"
    dataset.ActualFrameDuration = int(_FRAME_S * 1000)
    # Time after the start at which the decaying activity equals its mean over the frame.
    mean_time_s = np.log(decay / (1.0 - np.exp(-decay))) / decay * _FRAME_S
    dataset.FrameReferenceTime = decimal(round(float(mean_time_s) * 1000, 3))
    dataset.DecayFactor = decimal(decay / (1.0 - np.exp(-decay)))


def _add_tracer(dataset: Any) -> None:
    # Told by codes here; then Patient Position (0018,5100) shall be absent (PS3.3 C.7.3.1).
    del dataset.PatientPosition
    dataset.PatientOrientationCodeSequence = [_code("102538003", "SCT", "recumbent")]
    dataset.PatientOrientationCodeSequence[0].PatientOrientationModifierCodeSequence = [
        _code("40199007", "SCT", "supine")
    ]
    dataset.PatientGantryRelationshipCodeSequence = [_code("102540001", "SCT", "headfirst")]
    tracer = item(
        Radiopharmaceutical="Fluorodeoxyglucose F^18^",
        RadiopharmaceuticalStartTime=INJECTION_TIME,
        RadiopharmaceuticalStartDateTime=dataset.SeriesDate + INJECTION_TIME,
        RadionuclideTotalDose=decimal(INJECTED_BQ),
        RadionuclideHalfLife=decimal(F18_HALF_LIFE_S),
        RadionuclidePositronFraction="0.967",
        RadionuclideCodeSequence=[_code("77004003", "SCT", "^18^Fluorine")],
        RadiopharmaceuticalCodeSequence=[_code("35321007", "SCT", "Fluorodeoxyglucose F^18^")],
    )
    dataset.RadiopharmaceuticalInformationSequence = [tracer]


def _code(value: str, scheme: str, meaning: str) -> Any:
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)
