"""Slicer's DICOM database: where the files of a course lie."""

from __future__ import annotations

from pathlib import Path

import slicer

from ..scene.found import FoundCourse


def filesOf(found: FoundCourse) -> list[Path]:
    """Return the files of a course that is in the scene; empty where the database has none of its doses."""
    database = getattr(slicer, "dicomDatabase", None)
    if database is None or not database.isOpen:
        return []
    if not all(dose.instance_uid and database.fileForInstance(dose.instance_uid) for dose in found.doses):
        return []
    series = list(database.seriesForStudy(found.study_uid)) if found.study_uid else []
    if found.ct_series_uid and found.ct_series_uid not in series:
        series.append(found.ct_series_uid)
    files = [file for each in series for file in database.filesForSeries(each)]
    files += [database.fileForInstance(dose.instance_uid) for dose in found.doses]
    files += [path for dose in found.doses if dose.plan_uid and (path := database.fileForInstance(dose.plan_uid))]
    return [Path(path) for path in dict.fromkeys(files)]


def importFolder(folder: str) -> bool:
    """Put a folder into the database, the files staying where they are; False where no database is open."""
    database = getattr(slicer, "dicomDatabase", None)
    if database is None or not database.isOpen:
        return False
    from DICOMLib import DICOMUtils

    return bool(DICOMUtils.importDicom(folder, database))
