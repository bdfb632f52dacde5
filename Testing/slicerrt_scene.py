"""A course in a scene as SlicerRT leaves it, or Slicer alone: nodes, attributes and UIDs as seen in Slicer 5.13."""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from ReirradiationReviewLib.scene.geometry import add_volume_node, to_ras
from vtk.util.numpy_support import numpy_to_vtk

_PLANAR = slicer.vtkSegmentationConverter.GetSegmentationPlanarContourRepresentationName()


def add_as_slicerrt(scene, course, *, study_uid, study_date, with_slicerrt=True, stored=1.75e-8):
    """Add CT, doses and structures of a course below a study; return them as a dict of nodes.

    Without SlicerRT there are no structures, and a dose holds the numbers of the file (Gy / ``stored``).
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    patient = _patient(hierarchy, course.patient)
    study = hierarchy.CreateStudyItem(patient, f"{course.label} ({study_date})")
    hierarchy.SetItemUID(study, "DICOM", study_uid)
    hierarchy.SetItemAttribute(study, "DICOM.StudyDate", study_date)
    hierarchy.SetItemAttribute(study, "DICOM.StudyInstanceUID", study_uid)
    if with_slicerrt:
        hierarchy.SetItemAttribute(study, "DicomRtImport.DoseUnitName", "GY")
        hierarchy.SetItemAttribute(study, "DicomRtImport.DoseUnitValue", str(stored))
    ct = add_volume_node(scene, f"1: CT {course.label}", course.ct.volume)
    item = hierarchy.CreateItem(study, ct)
    hierarchy.SetItemUID(item, "DICOM", course.ct.series_uid)
    hierarchy.SetItemUID(item, "DICOMInstanceUID", " ".join(course.ct.sop_instance_uids))
    hierarchy.SetItemAttribute(item, "DICOM.Modality", "CT")
    hierarchy.SetItemAttribute(item, "DICOM.FrameOfReferenceUID", course.ct.volume.frame_of_reference_uid)
    doses = [_add_dose(scene, study, plan, None if with_slicerrt else stored) for plan in course.plans]
    structures = _add_structures(scene, hierarchy, study, course) if with_slicerrt else None
    return {"ct": ct, "doses": doses, "structures": structures}


def _patient(hierarchy, patient):
    known = hierarchy.GetItemByUID("DICOM", patient.id)
    if known:
        return known
    item = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), f"{patient.name} ({patient.id})")
    hierarchy.SetItemUID(item, "DICOM", patient.id)
    hierarchy.SetItemAttribute(item, "DICOM.PatientID", patient.id)
    hierarchy.SetItemAttribute(item, "DICOM.PatientName", patient.name)
    hierarchy.SetItemAttribute(item, "DICOM.PatientBirthDate", patient.birth_date.replace("-", ""))
    hierarchy.SetItemAttribute(item, "DICOM.PatientSex", patient.sex)
    return item


def _add_dose(scene, study, plan, stored):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    values = plan.dose if stored is None else plan.dose.like(np.rint(plan.dose.array / stored).astype(np.uint32))
    node = add_volume_node(scene, f"30: RTDOSE: {plan.label}", values)
    item = hierarchy.CreateItem(study, node)
    hierarchy.SetItemUID(item, "DICOMInstanceUID", plan.dose_uids[0])
    hierarchy.SetItemAttribute(item, "DICOM.Modality", "RTDOSE")
    if stored is None:
        node.SetAttribute("DicomRtImport.DoseVolume", "1")
        hierarchy.SetItemAttribute(item, "DICOM.ReferencedInstanceUIDs", plan.plan_uid)
    return node


def _add_structures(scene, hierarchy, study, course):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"10: RTSTRUCT: {course.label}")
    node.GetSegmentation().SetSourceRepresentationName(_PLANAR)
    for structure in course.structures:
        segment = slicer.vtkSegment()
        segment.SetName(structure.name)
        segment.SetColor(*(part / 255 for part in structure.colour))
        segment.SetTag("DicomRtImport.RoiNumber", str(structure.number))
        segment.AddRepresentation(_PLANAR, _closed_lines(structure.contours_lps))
        node.GetSegmentation().AddSegment(segment, f"S_{structure.number:016d}")
    item = hierarchy.CreateItem(study, node)
    hierarchy.SetItemUID(item, "DICOMInstanceUID", course.structure_set_uid)
    hierarchy.SetItemAttribute(item, "DICOM.Modality", "RTSTRUCT")
    hierarchy.SetItemAttribute(item, "DicomRtImport.RoiReferencedSeriesUid", course.ct.series_uid)
    return node


def _closed_lines(contours_lps):
    points, lines = vtk.vtkPoints(), vtk.vtkCellArray()
    rings = [to_ras(contour) for contour in contours_lps]
    points.SetData(numpy_to_vtk(np.concatenate(rings), deep=True))
    first = 0
    for ring in rings:
        lines.InsertNextCell(len(ring) + 1)
        for index in [*range(first, first + len(ring)), first]:
            lines.InsertCellPoint(index)
        first += len(ring)
    surface = vtk.vtkPolyData()
    surface.SetPoints(points)
    surface.SetLines(lines)
    return surface
