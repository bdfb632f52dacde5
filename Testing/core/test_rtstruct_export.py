"""The exported RTSTRUCT, read by our own reader and by rt-utils, and filled by it and by matplotlib."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pydicom
import pytest
from dicom_case import Case, set_pixels, set_position, sop
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from ReirradiationReviewLib.core.courses import Course, Patient, Structure
from ReirradiationReviewLib.core.dicom import read_series
from ReirradiationReviewLib.core.dicom.scan import read_dicom_file
from ReirradiationReviewLib.core.dicom.structures import read_structures
from ReirradiationReviewLib.core.dicom_export.rtstruct import ExportedStructure, write_structure_set
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.targets.outline import region_of, structure_of
from ReirradiationReviewLib.core.targets.region import Region
from ReirradiationReviewLib.core.volume import Volume

ORIGIN, SIZE_KJI, SHAPE = np.array([-70.0, -85.0, 40.0]), (3.0, 1.0, 1.0), (36, 128, 128)
CENTRE = ORIGIN + np.array([66.3, 61.8, 53.1])


@pytest.fixture(scope="module")
def a_course(tmp_path_factory) -> Course:
    """Return a course that is a CT only."""
    common = Dataset()
    common.PatientID, common.PatientName, common.PatientSex = "P1", "Doe^Jo", "F"
    common.StudyDate, common.StudyInstanceUID, common.FrameOfReferenceUID = "20240105", generate_uid(), generate_uid()
    series = sop(common, "CT")
    case = Case()
    for k in range(SHAPE[0]):
        dataset = deepcopy(series)
        dataset.SOPInstanceUID, dataset.InstanceNumber = generate_uid(), k + 1
        set_position(dataset, ORIGIN + np.array([0, 0, 3.0 * k]), np.eye(3), SIZE_KJI)
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, 0
        set_pixels(dataset, np.zeros(SHAPE[1:], dtype=np.int16))
        case[f"{k}.dcm"] = dataset
    folder = case.write(tmp_path_factory.mktemp("ct"))
    ct = read_series(folder, "CT")
    return Course("course 2", "2024-01-05", Patient("P1", "Doe, Jo", "", "F"), ct, (), (), folder=str(folder))


def a_region(ct: Volume, name: str, belongs) -> Region:
    points = ct.centres_lps()
    return Region(name, ct.like(belongs(points).reshape(ct.array.shape)), "PET: at least 41 % of SUVmax", "PT")


def distance(points, centre=CENTRE):
    return np.linalg.norm(points - centre, axis=1)


@pytest.fixture(scope="module")
def written(a_course, tmp_path_factory):
    """Return a structure set with a small ball, a large one, a shell and two parts, and what they were made from."""
    ct = a_course.ct.volume
    apart = np.array([14.0, 3.0, 0.0])
    regions = [
        a_region(ct, "GTV small", lambda p: distance(p) < 7),
        a_region(ct, "GTV large", lambda p: distance(p) < 45),
        a_region(ct, "GTV shell", lambda p: (distance(p) < 25) & (distance(p) > 12)),
        a_region(ct, "GTV two parts", lambda p: (distance(p, CENTRE + apart) < 9) | (distance(p, CENTRE - apart) < 6)),
    ]
    exported = [
        ExportedStructure(structure_of(region, ct, number=n + 3, colour=(255, 10 * n, 0)), region.provenance, 1.25)
        for n, region in enumerate(regions)
    ]
    path = tmp_path_factory.mktemp("rs") / "contours.dcm"
    notices = write_structure_set(path, exported, a_course, label="Re-irradiation", software_version="1.0")
    assert not notices
    return path, regions


def dsc(one, other):
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


def test_our_reader_finds_what_was_written(a_course, written):
    path, regions = written
    structures, notices = read_structures(read_dicom_file(path), a_course.ct.volume.frame_of_reference_uid)
    assert not notices
    assert [s.name for s in structures] == [region.name for region in regions]
    assert [s.number for s in structures] == [3, 4, 5, 6]
    assert structures[1].colour == (255, 10, 0)
    assert structures[0].interpreted_type == "GTV"
    for structure, region in zip(structures, regions, strict=True):
        assert dsc(region_of(structure, a_course.ct.volume).mask.array, region.mask.array) > 0.98


def test_rt_utils_finds_and_fills_it(a_course, written):
    from rt_utils import RTStructBuilder

    path, regions = written
    found = RTStructBuilder.create_from(dicom_series_path=a_course.folder, rt_struct_path=str(path))
    assert found.get_roi_names() == [region.name for region in regions]
    mask = np.transpose(found.get_roi_mask_by_name("GTV large"), (2, 0, 1))
    assert dsc(mask, regions[1].mask.array) > 0.98
    # rt-utils counts every pixel that an outline touches, half a pixel too many: 7 mm become 7.5 mm.
    small = np.transpose(found.get_roi_mask_by_name("GTV small"), (2, 0, 1))
    assert dsc(small, regions[0].mask.array) > 2 * 7**3 / (7**3 + 7.6**3)
    shell = np.transpose(found.get_roi_mask_by_name("GTV shell"), (2, 0, 1))
    assert not shell[tuple(np.rint((CENTRE - ORIGIN) / SIZE_KJI[::-1]).astype(int)[::-1])]


def filled(contours, shape):
    """Return the pixels whose centres polygons enclose by the even-odd rule, by matplotlib."""
    from matplotlib.path import Path as Polygon

    j, i = np.indices(shape)
    centres = np.stack([i.ravel(), j.ravel()], axis=1) + ORIGIN[:2]
    inside = np.zeros(len(centres), dtype=bool)
    for contour in contours:
        inside ^= Polygon(np.asarray(contour)[:, :2], closed=True).contains_points(centres)
    return inside.reshape(shape)


def test_the_contours_that_rt_utils_reads_fill_to_the_same(a_course, written):
    from rt_utils import RTStructBuilder

    path, regions = written
    found = RTStructBuilder.create_from(dicom_series_path=a_course.folder, rt_struct_path=str(path))
    for roi, region in zip(found.ds.ROIContourSequence, regions, strict=True):
        in_plane: dict[int, list[np.ndarray]] = {}
        for contour in roi.ContourSequence:
            points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
            in_plane.setdefault(round((points[0, 2] - ORIGIN[2]) / SIZE_KJI[0]), []).append(points)
        mask = np.zeros(SHAPE, dtype=bool)
        for k, contours in in_plane.items():
            mask[k] = filled(contours, SHAPE[1:])
        assert dsc(mask, region.mask.array) > 0.98


def test_the_object_refers_to_the_ct_and_says_how_it_was_made(a_course, written):
    path, _ = written
    dataset = pydicom.dcmread(path)
    ct = a_course.ct
    assert dataset.SOPClassUID == "1.2.840.10008.5.1.4.1.1.481.3"
    assert (dataset.PatientID, dataset.StudyInstanceUID) == ("P1", ct.study_uid)
    frame = dataset.ReferencedFrameOfReferenceSequence[0]
    assert frame.FrameOfReferenceUID == ct.volume.frame_of_reference_uid == dataset.FrameOfReferenceUID
    series = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    assert series.SeriesInstanceUID == ct.series_uid
    assert [image.ReferencedSOPInstanceUID for image in series.ContourImageSequence] == list(ct.sop_instance_uids)
    roi = dataset.StructureSetROISequence[0]
    assert (roi.ROIDescription, roi.ROIGenerationAlgorithm) == ("PET: at least 41 % of SUVmax", "SEMIAUTOMATIC")
    assert float(roi.ROIVolume) == 1.25
    assert dataset.StructureSetLabel == "Re-irradiation"
    for contour in dataset.ROIContourSequence[0].ContourSequence:
        points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
        assert contour.NumberOfContourPoints == len(points)
        k = round((points[0, 2] - ORIGIN[2]) / SIZE_KJI[0])
        assert contour.ContourImageSequence[0].ReferencedSOPInstanceUID == ct.sop_instance_uids[k]
    assert all(len(str(value)) <= 16 for value in contour.ContourData)


def a_structure(name="GTV", number=1, frame="", z=ORIGIN[2]):
    square = np.array([[0, 0, z], [9, 0, z], [9, 9, z], [0, 9, z]], dtype=float)
    return ExportedStructure(Structure(name, number, (square,), frame_of_reference_uid=frame), "drawn")


@pytest.mark.parametrize(
    ("exported", "words"),
    [
        ([], "no contour to write"),
        ([a_structure(), a_structure(number=2)], r"one ROIName \(3006,0026\)"),
        ([a_structure(), a_structure("other")], r"one ROINumber \(3006,0022\)"),
        ([a_structure(frame="9.9")], r"Frame of Reference \(0020,0052\) 9.9"),
    ],
)
def test_what_cannot_be_written_is_refused(a_course, tmp_path, exported, words):
    with pytest.raises(ReirradiationError, match=words):
        write_structure_set(tmp_path / "rs.dcm", exported, a_course, label="x", software_version="1")
    assert not list(tmp_path.iterdir())


def test_a_contour_between_the_images_is_said(a_course, tmp_path):
    between = a_structure(z=ORIGIN[2] + 1.5)
    notices = write_structure_set(tmp_path / "rs.dcm", [between], a_course, label="x", software_version="1")
    assert [notice.code for notice in notices] == ["rtstruct-plane-without-image"]


def test_without_a_ct_nothing_is_written(a_course, tmp_path):
    bare = Course("course 2", "", Patient(), None, (), ())
    with pytest.raises(ReirradiationError, match="has no CT"):
        write_structure_set(tmp_path / "rs.dcm", [a_structure()], bare, label="x", software_version="1")
