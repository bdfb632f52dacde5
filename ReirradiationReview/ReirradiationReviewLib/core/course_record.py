"""Courses as JSON-ready records, so that a saved scene holds all that a review is made from.

Voxels are not part of a record: they are kept as images, and handed back in when the course is restored.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .courses import Course, ImageSeries, Patient, Plan, Structure
from .errors import Notice
from .images import PlacedImage, in_reference_space
from .plain_data import plain_data
from .registration.course import CourseRegistration
from .registration.transform import SpatialTransform
from .volume import Volume

Record = dict[str, Any]

_VOXELS = ("volume", "dose", "letd_kev_um")


def course_record(course: Course) -> Record:
    """Return everything of a course but its voxels."""
    return {
        "label": course.label,
        "date": course.date,
        "end_date": course.end_date,
        "patient": asdict(course.patient),
        "ct": None if course.ct is None else series_record(course.ct),
        "plans": [_plan_record(plan) for plan in course.plans],
        "structures": structures_record(course.structures),
        "notices": [asdict(notice) for notice in course.notices],
        "folder": course.folder,
        "structure_set_uid": course.structure_set_uid,
    }


def course_of(record: Mapping[str, Any], ct: Volume | None, doses: Sequence[Volume]) -> Course:
    """Return the course of a record, with its voxels.

    Parameters
    ----------
    ct
        HU; None where the course has no CT.
    doses
        Gy, one per plan of the record.
    """
    return Course(
        label=record["label"],
        date=record["date"],
        end_date=record.get("end_date", ""),
        patient=Patient(**record["patient"]),
        ct=None if record["ct"] is None or ct is None else series_of(record["ct"], ct),
        structures=structures_of(record["structures"]),
        plans=tuple(_plan_of(plan, dose) for plan, dose in zip(record["plans"], doses, strict=True)),
        notices=tuple(Notice(**notice) for notice in record["notices"]),
        folder=record["folder"],
        structure_set_uid=record["structure_set_uid"],
    )


def series_record(series: ImageSeries) -> Record:
    """Return everything of an image series but its voxels."""
    record = _without_voxels(series)
    return {
        **record,
        "patient": asdict(series.patient),
        "sop_instance_uids": list(series.sop_instance_uids),
        "frame_of_reference_uid": series.volume.frame_of_reference_uid,
    }


def series_of(record: Mapping[str, Any], volume: Volume) -> ImageSeries:
    """Return the image series of a record, with its voxels."""
    values = dict(record)
    placed = Volume(volume.array, volume.index_to_lps, values.pop("frame_of_reference_uid"))
    values["patient"] = Patient(**values["patient"])
    values["sop_instance_uids"] = tuple(values["sop_instance_uids"])
    return ImageSeries(volume=placed, **values)


def structures_record(structures: Sequence[Structure]) -> list[Record]:
    """Return structures with their contours, LPS mm, as lists of numbers."""
    return [
        {**_without_voxels(structure), "contours_lps": [contour.tolist() for contour in structure.contours_lps]}
        for structure in structures
    ]


def structures_of(records: Sequence[Mapping[str, Any]]) -> tuple[Structure, ...]:
    """Return the structures of their records."""
    return tuple(
        Structure(
            **{
                **record,
                "colour": tuple(record["colour"]),
                "contours_lps": tuple(np.array(contour, dtype=np.float64) for contour in record["contours_lps"]),
            }
        )
        for record in records
    )


def registration_record(registration: CourseRegistration) -> Record:
    """Return everything of a registration but its transform."""
    return {
        "method": registration.method,
        "qa": plain_data(registration.qa),
        "seconds": registration.seconds,
        "notices": [asdict(notice) for notice in registration.notices],
    }


def registration_of(record: Mapping[str, Any], transform: SpatialTransform) -> CourseRegistration:
    """Return the registration of a record, with its transform."""
    notices = tuple(Notice(**notice) for notice in record["notices"])
    return CourseRegistration(transform, record["method"], record["qa"], record["seconds"], notices)


def image_record(image: PlacedImage) -> Record:
    """Return everything of a placed image but its voxels and its transform."""
    return {
        "name": image.name,
        "series": series_record(image.series),
        "method": image.method,
        "qa": plain_data(dict(image.qa)),
        "suv": plain_data(dict(image.suv)),
        "notices": [asdict(notice) for notice in image.notices],
        "reference_frame_of_reference_uid": image.volume.frame_of_reference_uid,
    }


def image_of(record: Mapping[str, Any], volume: Volume, transform: SpatialTransform) -> PlacedImage:
    """Return the placed image of a record, with its voxels on the series' own grid and its transform."""
    series = series_of(record["series"], volume)
    return PlacedImage(
        record["name"],
        series,
        in_reference_space(series.volume, transform, record["reference_frame_of_reference_uid"]),
        transform,
        record["method"],
        record["qa"],
        record["suv"],
        tuple(Notice(**notice) for notice in record["notices"]),
    )


def _plan_record(plan: Plan) -> Record:
    return {
        **_without_voxels(plan),
        "dose_uids": list(plan.dose_uids),
        "letd_kev_um": None if plan.letd_kev_um is None else _packed(plan.letd_kev_um),
        "frame_of_reference_uid": plan.dose.frame_of_reference_uid,
    }


def _plan_of(record: Mapping[str, Any], dose: Volume) -> Plan:
    values = dict(record)
    placed = Volume(dose.array, dose.index_to_lps, values.pop("frame_of_reference_uid"))
    values["dose_uids"] = tuple(values["dose_uids"])
    letd = values.get("letd_kev_um")
    values["letd_kev_um"] = None if letd is None else _unpacked(letd, dose.array.shape)
    values["parts"] = tuple(tuple(part) for part in values.get("parts", ()))
    return Plan(dose=placed, **values)


def _packed(array: NDArray[np.float64]) -> str:
    """Return an array as compressed text: LETd is rare and smooth, so it needs no image of its own in the scene."""
    return base64.b64encode(zlib.compress(array.astype("<f4").tobytes())).decode("ascii")


def _unpacked(text: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    values = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype="<f4")
    return values.astype(np.float64).reshape(shape)


def _without_voxels(value: ImageSeries | Plan | Structure) -> Record:
    return {field.name: getattr(value, field.name) for field in fields(value) if field.name not in _VOXELS}
