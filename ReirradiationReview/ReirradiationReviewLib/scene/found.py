"""The courses that a scene holds already, as SlicerRT or Slicer's DICOM module put them there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import slicer
import vtk

from .doses import DOSE_ATTRIBUTE, QUANTITY_ATTRIBUTE
from .state import all_referenced, find_parameter_node

_SH = slicer.vtkMRMLSubjectHierarchyConstants
_UID, _INSTANCE_UID = _SH.GetDICOMUIDName(), _SH.GetDICOMInstanceUIDName()
_MODALITY = _SH.GetDICOMSeriesModalityAttributeName()
_REFERENCED = _SH.GetDICOMReferencedInstanceUIDsAttributeName()
_STUDY_DATE = _SH.GetDICOMStudyDateAttributeName()
_REFERENCED_SERIES = "DicomRtImport.RoiReferencedSeriesUid"  # as SlicerRT names it


@dataclass(frozen=True)
class FoundDose:
    """One dose volume.

    Parameters
    ----------
    is_in_gy
        Whether the voxels are Gy, as SlicerRT scales them. Slicer's plain volume reader leaves the stored numbers of
        the file, which are no dose and must not be used.
    """

    node: slicer.vtkMRMLScalarVolumeNode
    instance_uid: str
    plan_uid: str
    is_in_gy: bool


@dataclass(frozen=True)
class FoundCourse:
    """What belongs to one study with dose, in the order of the subject hierarchy.

    Parameters
    ----------
    study_uid
        Study Instance UID (0020,000D); empty where the hierarchy has none.
    date
        ISO; empty where unknown.
    """

    name: str
    study_uid: str
    date: str
    doses: tuple[FoundDose, ...]
    ct: slicer.vtkMRMLScalarVolumeNode | None = None
    ct_series_uid: str = ""
    frame_of_reference_uid: str = ""
    structures: slicer.vtkMRMLSegmentationNode | None = None
    patient: dict[str, str] = field(default_factory=dict)


def find_courses(scene: slicer.vtkMRMLScene) -> list[FoundCourse]:
    """Return the studies that hold a dose, oldest first; what a review made itself is passed over."""
    hierarchy = _Hierarchy(scene)
    studies: dict[int, list[tuple[int, Any]]] = {}
    for item, node in hierarchy.doses():
        studies.setdefault(hierarchy.study_of(item), []).append((item, node))
    found = [_course(hierarchy, study, doses) for study, doses in studies.items()]
    return sorted(found, key=lambda course: course.date or "9999")


class _Hierarchy:
    """The subject hierarchy, read."""

    def __init__(self, scene: slicer.vtkMRMLScene) -> None:
        self.node = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
        parameters = find_parameter_node(scene)
        self._of_review = set() if parameters is None else {node.GetID() for node in all_referenced(parameters)}

    def items(self, parent: int | None = None) -> Iterator[int]:
        found = vtk.vtkIdList()
        self.node.GetItemChildren(self.node.GetSceneItemID() if parent is None else parent, found, True)
        yield from (found.GetId(index) for index in range(found.GetNumberOfIds()))

    def doses(self) -> Iterator[tuple[int, Any]]:
        for item in self.items():
            node = self.node.GetItemDataNode(item)
            if node is None or not node.IsA("vtkMRMLScalarVolumeNode") or node.GetAttribute(QUANTITY_ATTRIBUTE):
                continue
            if node.GetAttribute(DOSE_ATTRIBUTE) or self.modality(item) == "RTDOSE":
                yield item, node

    def modality(self, item: int) -> str:
        return str(self.node.GetItemAttribute(item, _MODALITY))

    def study_of(self, item: int) -> int:
        """Return the study that an item is in; the item's parent where there is no study."""
        study = self.node.GetItemAncestorAtLevel(item, _SH.GetDICOMLevelStudy())
        return int(study or self.node.GetItemParent(item))

    def with_node(self, parent: int | None, node_class: str, modality: str = "") -> list[tuple[int, Any]]:
        pairs = ((item, self.node.GetItemDataNode(item)) for item in self.items(parent))
        return [
            (item, node)
            for item, node in pairs
            if node is not None
            and node.IsA(node_class)
            and node.GetID() not in self._of_review
            and (not modality or self.modality(item) == modality)
        ]


def _course(hierarchy: _Hierarchy, study: int, doses: list[tuple[int, Any]]) -> FoundCourse:
    node = hierarchy.node
    sets = hierarchy.with_node(study, "vtkMRMLSegmentationNode")
    ct_item, ct = _ct(hierarchy, study, [item for item, _ in sets])
    patient = node.GetItemAncestorAtLevel(study, _SH.GetDICOMLevelPatient())
    return FoundCourse(
        name=node.GetItemName(study),
        study_uid=node.GetItemUID(study, _UID),
        date=_iso_date(node.GetItemAttribute(study, _STUDY_DATE)),
        doses=tuple(
            FoundDose(
                dose,
                node.GetItemUID(item, _INSTANCE_UID),
                node.GetItemAttribute(item, _REFERENCED),
                bool(dose.GetAttribute(DOSE_ATTRIBUTE)),
            )
            for item, dose in doses
        ),
        ct=ct,
        ct_series_uid=node.GetItemUID(ct_item, _UID) if ct_item else "",
        frame_of_reference_uid=(
            node.GetItemAttribute(ct_item, _SH.GetDICOMFrameOfReferenceUIDAttributeName()) if ct_item else ""
        ),
        structures=sets[0][1] if sets else None,
        patient={
            "id": node.GetItemAttribute(patient, _SH.GetDICOMPatientIDAttributeName()),
            "name": node.GetItemAttribute(patient, _SH.GetDICOMPatientNameAttributeName()),
            "birth_date": _iso_date(node.GetItemAttribute(patient, _SH.GetDICOMPatientBirthDateAttributeName())),
            "sex": node.GetItemAttribute(patient, _SH.GetDICOMPatientSexAttributeName()),
        }
        if patient
        else {},
    )


def _ct(hierarchy: _Hierarchy, study: int, structure_items: list[int]) -> tuple[int, Any]:
    """Return the CT that the structures were drawn on, wherever it is; else the study's own."""
    images = hierarchy.with_node(None, "vtkMRMLScalarVolumeNode", "CT")
    wanted = {hierarchy.node.GetItemAttribute(item, _REFERENCED_SERIES) for item in structure_items} - {""}
    drawn_on = [pair for pair in images if hierarchy.node.GetItemUID(pair[0], _UID) in wanted]
    own = [pair for pair in images if hierarchy.study_of(pair[0]) == study]
    return next(iter([*drawn_on, *own]), (0, None))


def _iso_date(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if len(text) == 8 and text.isdigit() else ""
