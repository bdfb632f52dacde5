"""What every exported DICOM object shares: patient, study, series, equipment; references; the file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..courses import Course
from ..errors import Notice, ReirradiationError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

LO_LENGTH = 64  # PS3.5 table 6.2-1


def new_object(
    sop_class_uid: str, modality: str, reference: Course, software_version: str
) -> tuple[Dataset, list[Notice]]:
    """Return a new object in a series of its own, of the reference course's patient and study.

    Type 2 attributes that nobody knows are empty.
    """
    from pydicom.dataset import Dataset
    from pydicom.uid import generate_uid

    now = datetime.now()
    ct = reference.ct
    notices = []
    if ct is None or not ct.study_uid:
        text = f"The reference CT has no Study Instance UID (0020,000D), so the {modality} starts a study of its own."
        notices.append(Notice(f"{modality.lower()}-own-study", text, reference.label))
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = sop_class_uid
    dataset.SOPInstanceUID = generate_uid(prefix=None)
    dataset.InstanceCreationDate = dataset.ContentDate = dataset.SeriesDate = now.strftime("%Y%m%d")
    dataset.InstanceCreationTime = dataset.ContentTime = dataset.SeriesTime = now.strftime("%H%M%S")
    dataset.PatientName = _person_name(reference.patient.name)
    dataset.PatientID = reference.patient.id
    dataset.PatientBirthDate = _date(reference.patient.birth_date)
    dataset.PatientSex = reference.patient.sex
    dataset.StudyInstanceUID = ct.study_uid if ct is not None and ct.study_uid else generate_uid(prefix=None)
    dataset.StudyDate = _date(ct.date) if ct is not None else ""
    dataset.SeriesInstanceUID = generate_uid(prefix=None)
    dataset.Modality = modality
    for keyword in ("StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName", "OperatorsName"):
        setattr(dataset, keyword, "")
    dataset.SeriesNumber = None
    dataset.InstanceNumber = 1
    dataset.Manufacturer = dataset.ManufacturerModelName = "ReirradiationReview"
    dataset.SoftwareVersions = software_version[:LO_LENGTH]
    return dataset, notices


def decimals(values: Iterable[float]) -> list[str]:
    """Return numbers as DICOM decimal strings of at most 16 characters."""
    from pydicom.valuerep import format_number_as_ds

    return [format_number_as_ds(float(value) + 0.0) for value in values]  # + 0.0: no "-0.0"


def sop_reference(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    """Return an item of the SOP Instance Reference Macro (PS3.3 table 10-11)."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.ReferencedSOPClassUID = sop_class_uid
    item.ReferencedSOPInstanceUID = sop_instance_uid
    return item


def save(dataset: Dataset, path: Path) -> None:
    """Write an object as a DICOM file; ReirradiationError where that is not possible."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    try:
        dataset.save_as(path, enforce_file_format=True)
    except OSError as error:
        raise ReirradiationError(f"{path.name} cannot be written ({error.strerror}); choose another folder") from error


def _person_name(readable: str) -> str:
    """Return "Family, Given" as DICOM PN (PS3.5 6.2.1); a name that has its carets is left as it is."""
    return readable if "^" in readable else readable.replace(", ", "^", 1)


def _date(iso: str) -> str:
    """Return an ISO date as DICOM DA; empty where it is none."""
    return iso.replace("-", "") if re.fullmatch(r"\d{4}-\d\d-\d\d", iso) else ""
