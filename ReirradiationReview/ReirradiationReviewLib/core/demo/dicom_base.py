"""What every DICOM object of the demo case shares: patient, study, series, file meta."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import case_data as data

SYNTHETIC = "synthetic phantom, not a patient"
_EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"


@dataclass(frozen=True)
class Study:
    """The study an object belongs to, and the UIDs that follow from the case's seed."""

    seed: int
    name: str
    date: str
    time: str
    description: str
    frame_uid: str

    def uid(self, *name: object) -> str:
        """Return the UID of something in this study."""
        return data.make_uid(self.seed, self.name, *name)


def new_object(study: Study, sop_class: str, modality: str, instance: int, description: str) -> Any:
    """Return a dataset with the patient, study, series, equipment and SOP common modules filled in."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(sop_class)
    meta.MediaStorageSOPInstanceUID = UID(study.uid(modality, instance))
    meta.TransferSyntaxUID = UID(_EXPLICIT_LITTLE_ENDIAN)
    meta.ImplementationClassUID = UID(data.make_uid(0, "implementation"))
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = study.date, study.time
    dataset.Modality = modality
    dataset.SeriesInstanceUID = study.uid(modality)
    dataset.SeriesDescription = description
    dataset.InstanceNumber = instance
    _add_patient(dataset)
    _add_study(dataset, study)
    dataset.SeriesNumber = {"CT": 2, "MR": 3, "PT": 4, "RTSTRUCT": 10, "RTPLAN": 11, "RTDOSE": 12}.get(modality, 20)
    dataset.SeriesDate, dataset.SeriesTime = study.date, study.time
    dataset.Manufacturer, dataset.ManufacturerModelName = "ReirradiationReview", "Chest phantom"
    dataset.SoftwareVersions = "demo 1"
    dataset.DeviceSerialNumber = "0"
    return dataset


def _add_patient(dataset: Any) -> None:
    dataset.PatientName, dataset.PatientID = data.PATIENT_NAME, data.PATIENT_ID
    dataset.PatientBirthDate, dataset.PatientSex = data.BIRTH_DATE, data.SEX
    dataset.PatientSize, dataset.PatientWeight = f"{data.SIZE_M}", f"{data.WEIGHT_KG:.1f}"
    dataset.PatientComments = SYNTHETIC


def _add_study(dataset: Any, study: Study) -> None:
    dataset.StudyInstanceUID = study.uid("study")
    dataset.StudyDate, dataset.StudyTime = study.date, study.time
    dataset.StudyID, dataset.AccessionNumber = study.name[:16], ""
    dataset.StudyDescription = study.description
    dataset.ReferringPhysicianName = ""


def item(**elements: Any) -> Any:
    """Return a sequence item with these elements."""
    from pydicom.dataset import Dataset

    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def reference(sop_class: str, sop_instance: str) -> Any:
    """Return an item that refers to an object."""
    return item(ReferencedSOPClassUID=sop_class, ReferencedSOPInstanceUID=sop_instance)


def decimal(value: float) -> str:
    """Return a number as DS: at most 16 characters (PS3.5 6.2), as many digits as fit."""
    for digits in range(14, 0, -1):
        text = f"{float(value):.{digits}g}"
        if len(text) <= 16:
            return text
    return f"{value:.0f}"


def save(dataset: Any, path: Path) -> None:
    """Write an object in the DICOM file format."""
    dataset.save_as(path, enforce_file_format=True)
