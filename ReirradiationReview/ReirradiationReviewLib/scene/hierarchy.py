"""The subject hierarchy: patient, one study per course, one for the review, with the attributes SlicerRT uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import slicer
import vtk

from ..core.courses import Course, ImageSeries, Patient, Plan

REVIEW_STUDY = "Re-irradiation review"

_SH = slicer.vtkMRMLSubjectHierarchyConstants
_UID = _SH.GetDICOMUIDName()
_INSTANCE_UID = _SH.GetDICOMInstanceUIDName()
_REFERENCED = _SH.GetDICOMReferencedInstanceUIDsAttributeName()


class SubjectHierarchy:
    """The patient's part of a scene's subject hierarchy."""

    def __init__(self, scene: slicer.vtkMRMLScene, patient: Patient) -> None:
        self._node = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
        self._patient_item = self._find_or_add_patient(patient)

    def add_course_study(self, course: Course) -> int:
        """Add the study that a course's nodes belong to; its doses are in Gy."""
        study_uid = course.ct.study_uid if course.ct is not None else ""
        attributes = {
            _SH.GetDICOMStudyDateAttributeName(): course.date.replace("-", ""),
            _SH.GetDICOMStudyDescriptionAttributeName(): course.label,
            _SH.GetDICOMStudyInstanceUIDAttributeName(): study_uid,
        }
        name = f"{course.label} ({course.date})" if course.date else course.label
        return self._add_study(name, study_uid, attributes)

    def add_series_study(self, image: ImageSeries) -> int:
        """Add the study of an image beside the courses."""
        attributes = {
            _SH.GetDICOMStudyDateAttributeName(): image.date.replace("-", ""),
            _SH.GetDICOMStudyInstanceUIDAttributeName(): image.study_uid,
        }
        name = f"{image.modality} ({image.date})" if image.date else image.modality
        known = self._node.GetItemByUID(_UID, image.study_uid) if image.study_uid else 0
        return int(known) or self._add_study(name, image.study_uid, attributes)

    def add_review_study(self) -> int:
        """Add the study of what the review made, apart from the courses' own."""
        return self._add_study(REVIEW_STUDY, "", {_SH.GetDICOMStudyDescriptionAttributeName(): REVIEW_STUDY})

    def find_review_study(self) -> int:
        """Return the study of what the review made, added where there is none."""
        known = self._node.GetItemChildWithName(self._patient_item, REVIEW_STUDY)
        return int(known) or self.add_review_study()

    def add_node(self, parent: int, node: slicer.vtkMRMLNode) -> int:
        """Put a node below an item."""
        return int(self._node.CreateItem(parent, node))

    def add_image(self, parent: int, node: slicer.vtkMRMLNode, image: ImageSeries) -> int:
        """Put an image below a study, with its series and instance UIDs."""
        item = self.add_node(parent, node)
        self._set_uid(item, _UID, image.series_uid)
        self._set_uid(item, _INSTANCE_UID, " ".join(image.sop_instance_uids))
        self._set_attributes(
            item,
            {
                _SH.GetDICOMSeriesModalityAttributeName(): image.modality,
                "DICOM.SeriesDescription": image.description,
                "DICOM.SeriesDate": image.date.replace("-", ""),
                _SH.GetDICOMFrameOfReferenceUIDAttributeName(): image.volume.frame_of_reference_uid,
            },
        )
        return item

    def add_dose(self, parent: int, node: slicer.vtkMRMLNode, plan: Plan) -> int:
        """Put a plan's dose below a study, with its own UIDs and its plan's."""
        item = self.add_node(parent, node)
        self._set_uid(item, _INSTANCE_UID, " ".join(plan.dose_uids))
        self._set_attributes(item, {_SH.GetDICOMSeriesModalityAttributeName(): "RTDOSE", _REFERENCED: plan.plan_uid})
        return item

    def add_structures(self, parent: int, node: slicer.vtkMRMLNode, course: Course) -> int:
        """Put a course's structures below a study, with the structure set's UID and that of the image's series."""
        item = self.add_node(parent, node)
        self._set_uid(item, _INSTANCE_UID, course.structure_set_uid)
        series_uid = course.ct.series_uid if course.ct is not None else ""
        self._set_attributes(
            item,
            {
                _SH.GetDICOMSeriesModalityAttributeName(): "RTSTRUCT",
                "DicomRtImport.RoiReferencedSeriesUid": series_uid,
            },
        )
        return item

    def _find_or_add_patient(self, patient: Patient) -> int:
        known = self._node.GetItemByUID(_UID, patient.id) if patient.id else 0
        if known:
            return int(known)
        name = f"{patient.name or 'unknown name'} ({patient.id or 'unknown ID'})"
        item = int(self._node.CreateSubjectItem(self._node.GetSceneItemID(), name))
        self._set_uid(item, _UID, patient.id)
        self._set_attributes(
            item,
            {
                _SH.GetDICOMPatientNameAttributeName(): patient.name,
                _SH.GetDICOMPatientIDAttributeName(): patient.id,
                _SH.GetDICOMPatientBirthDateAttributeName(): patient.birth_date.replace("-", ""),
                _SH.GetDICOMPatientSexAttributeName(): patient.sex,
            },
        )
        return item

    def _add_study(self, name: str, study_uid: str, attributes: Mapping[str, str]) -> int:
        item = int(self._node.CreateStudyItem(self._patient_item, name))
        self._set_uid(item, _UID, study_uid)
        # Voxels are in Gy: SlicerRT's Isodose module wants this very unit name, and a scaling of one.
        units = {"DicomRtImport.DoseUnitName": "GY", "DicomRtImport.DoseUnitValue": "1"}
        self._set_attributes(item, {**attributes, **units})
        return item

    def _set_uid(self, item: int, name: str, uid: str) -> None:
        if uid:
            self._node.SetItemUID(item, name, uid)

    def _set_attributes(self, item: int, attributes: Mapping[str, str]) -> None:
        for name, value in attributes.items():
            if value:
                self._node.SetItemAttribute(item, name, value)


def put_isodoses(
    scene: slicer.vtkMRMLScene,
    composite: slicer.vtkMRMLScalarVolumeNode,
    isodoses: Sequence[slicer.vtkMRMLModelNode],
    of_what: str = "the composite EQD2",
) -> None:
    """Put isodose models into their folder beside the composite."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(composite))
    if not study:
        return  # the user took the composite out of the hierarchy
    name = f"Isodoses of {of_what}"
    folder = hierarchy.GetItemChildWithName(study, name) or hierarchy.CreateFolderItem(study, name)
    for node in isodoses:
        item = hierarchy.GetItemByDataNode(node)
        if not item or hierarchy.GetItemParent(item) != folder:
            hierarchy.CreateItem(folder, node)


def put_beside(scene: slicer.vtkMRMLScene, known: slicer.vtkMRMLNode, node: slicer.vtkMRMLNode) -> None:
    """Put a node where another one is."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = hierarchy.GetItemByDataNode(known)
    if item:
        hierarchy.CreateItem(hierarchy.GetItemParent(item), node)


def remove_node(scene: slicer.vtkMRMLScene, node: slicer.vtkMRMLNode | None) -> None:
    """Take a node, with its display and storage nodes, out of the scene and its subject hierarchy."""
    if node is None or not scene.IsNodePresent(node):
        return
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = hierarchy.GetItemByDataNode(node)
    if item:
        hierarchy.RemoveItem(item, False)  # the desktop's plugins would do it; elsewhere the item would stay
    # Listed before the first is removed, since removal shortens the list.
    roles = ("display", "storage")
    own = [node.GetNthNodeReference(role, n) for role in roles for n in range(node.GetNumberOfNodeReferences(role))]
    for each in (*own, node):
        if each is not None:
            scene.RemoveNode(each)


def remove_empty_studies(scene: slicer.vtkMRMLScene) -> None:
    """Take out studies and folders of the subject hierarchy that hold no node any more."""
    node = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    items = vtk.vtkIdList()
    node.GetItemChildren(node.GetSceneItemID(), items, True)
    # From the leaves up, so that a folder that held the last item goes with its study.
    for item in reversed([items.GetId(index) for index in range(items.GetNumberOfIds())]):
        level = node.GetItemLevel(item)
        is_group = level in (_SH.GetDICOMLevelStudy(), _SH.GetSubjectHierarchyLevelFolder())
        if is_group and node.GetNumberOfItemChildren(item) == 0:
            node.RemoveItem(item)
