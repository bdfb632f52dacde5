"""A made-up PET: what a scanner would measure of known SUV, stored in any of the ways that scanners store it."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime, timedelta
from math import exp, log
from pathlib import Path

import numpy as np
from dicom_case import Case, item, set_pixels, set_position
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from ReirradiationReviewLib.core.dicom.series import read_image_folder
from ReirradiationReviewLib.core.pet.facts import EnteredPet
from ReirradiationReviewLib.core.pet.suv import SuvImage, suv_image

PET_CLASS = "1.2.840.10008.5.1.4.1.1.128"
TRUE_SUV = np.array([0.2, 1.0, 4.0, 2.5])
SLICES, PIXELS = 4, 4
INJECTED = datetime(2025, 1, 1, 10)
STARTED = datetime(2025, 1, 1, 11)
WEIGHT_KG, HEIGHT_M, DOSE_BQ, HALF_LIFE_S = 70.0, 1.75, 368.08e6, 6586.2
BED_S = 300.0


def a_pet(
    correction="START", *, half_life_s=HALF_LIFE_S, injected=INJECTED, started=STARTED, ge=False, per_unit=1.0
) -> Case:
    """Return a series of two beds, each with half of the slices; every row of pixels holds TRUE_SUV.

    The tracer decays only, so the activity concentration at injection is SUV * dose / weight.

    Parameters
    ----------
    per_unit
        Bq/mL per unit of the rescaled values.
    """
    rate = log(2) / half_life_s
    common = _common(correction, half_life_s, injected, started)
    if ge:
        common.Manufacturer = "GE MEDICAL SYSTEMS"
    case = Case()
    for number in range(SLICES):
        began = started + timedelta(seconds=BED_S * (number // 2))
        mean_share = (1 - exp(-rate * BED_S)) / (rate * BED_S)  # of the activity at the beginning of the frame
        mean_at_s = -log(mean_share) / rate
        at_injection = TRUE_SUV * DOSE_BQ / (WEIGHT_KG * 1000)
        values = {
            "ADMIN": at_injection,
            "START": at_injection * exp(-rate * (started - injected).total_seconds()),
            "NONE": at_injection * exp(-rate * (began - injected).total_seconds()) * mean_share,
        }[correction]
        into_scan_s = (began - started).total_seconds()
        dataset = _slice(common, number, began, values / per_unit)
        dataset.FrameReferenceTime = round(1000 * (into_scan_s + (0 if ge else mean_at_s)), 3)
        case[f"{number}.dcm"] = dataset
    return case


def with_all(case: Case, **values) -> Case:
    """Set attributes, or delete those that are None, in every slice."""
    for dataset in case.values():
        for keyword, value in values.items():
            if value is None:
                delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value)
    return case


def with_tracer(case: Case, **values) -> Case:
    for dataset in case.values():
        for keyword, value in values.items():
            if value is None:
                delattr(dataset.RadiopharmaceuticalInformationSequence[0], keyword)
            else:
                setattr(dataset.RadiopharmaceuticalInformationSequence[0], keyword, value)
    return case


def with_private(case: Case, group: int, creator: str, element: int, value: str) -> Case:
    vr = "DS" if group == 0x7053 else "DT"
    for dataset in case.values():
        dataset.private_block(group, creator, create=True).add_new(element, vr, value)
    return case


def suv_of(case: Case, folder: Path, kind: str = "bw", **entered) -> SuvImage:
    (found,) = read_image_folder(case.write(folder), "PT")
    return suv_image(found.image, EnteredPet(**entered).over(found.pet), kind)


def _common(correction: str, half_life_s: float, injected: datetime, started: datetime) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.Modality = PET_CLASS, "PT"
    dataset.PatientID, dataset.PatientName, dataset.PatientSex = "P1", "Doe^Jo", "F"
    dataset.PatientWeight, dataset.PatientSize = WEIGHT_KG, HEIGHT_M
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.FrameOfReferenceUID = generate_uid()
    dataset.SeriesDescription, dataset.Manufacturer = "PET WB", "SIEMENS"
    dataset.StudyDate = dataset.SeriesDate = started.strftime("%Y%m%d")
    dataset.SeriesTime = started.strftime("%H%M%S")
    dataset.Units, dataset.DecayCorrection = "BQML", correction
    dataset.CorrectedImage = ["NORM", "ATTN", "SCAT", "RAN", "DTIM", *([] if correction == "NONE" else ["DECY"])]
    dataset.RadiopharmaceuticalInformationSequence = [
        item(
            RadiopharmaceuticalStartTime=injected.strftime("%H%M%S"),
            RadiopharmaceuticalStartDateTime=injected.strftime("%Y%m%d%H%M%S"),
            RadionuclideTotalDose=DOSE_BQ,
            RadionuclideHalfLife=half_life_s,
        )
    ]
    return dataset


def _slice(common: Dataset, number: int, began: datetime, row_values: np.ndarray) -> Dataset:
    dataset = deepcopy(common)
    dataset.SOPInstanceUID, dataset.InstanceNumber = generate_uid(), number + 1
    dataset.AcquisitionDate, dataset.AcquisitionTime = began.strftime("%Y%m%d"), began.strftime("%H%M%S.%f")
    dataset.ActualFrameDuration = int(1000 * BED_S)
    set_position(dataset, (0, 0, 3.0 * number), np.eye(3), (3.0, 4.0, 4.0))
    dataset.RescaleIntercept = 0
    dataset.RescaleSlope = f"{float(row_values.max()) / (30000 - 1000 * number):.10g}"  # a slope of its own
    stored = np.rint(np.tile(row_values, (PIXELS, 1)) / float(dataset.RescaleSlope))
    set_pixels(dataset, stored.astype(np.int16))
    return dataset
