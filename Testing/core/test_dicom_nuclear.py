"""SPECT tomograms: every voxel at its place, whichever way the slices run."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from ReirradiationReviewLib.core.dicom.nuclear import is_nuclear_volume, read_nuclear_volume
from ReirradiationReviewLib.core.dicom.objects import DicomFile
from ReirradiationReviewLib.core.dicom.series import read_image_folder
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.volume import sample_linear

SHAPE = (6, 5, 4)
ORIGIN = np.array([-10.0, 20.0, 30.0])
SPACING = np.array([4.0, 3.0, 5.0])  # along i, j, k


def a_value_at(points_lps):
    """What the patient holds: linear in space, so that every voxel knows where it is."""
    return np.rint(points_lps @ [2.0, 5.0, 11.0] + 900.0)


def a_tomogram(path, step_mm=5.0, **changes):
    """Frames from the first slice on, each a step along the normal (0, 0, 1) further."""
    k, j, i = np.meshgrid(*map(np.arange, SHAPE), indexing="ij")
    points = ORIGIN + np.stack([i * SPACING[0], j * SPACING[1], k * step_mm], axis=-1)
    stored = a_value_at(points).astype(np.uint16)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.20"
    dataset.SOPInstanceUID, dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = "1.2.3", "1.2.4", "1.2"
    dataset.Modality, dataset.SeriesDescription = "NM", "Perfusion"
    dataset.ImageType = ["DERIVED", "PRIMARY", "RECON TOMO", "EMISSION"]
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = SHAPE
    dataset.PixelSpacing = [SPACING[1], SPACING[0]]
    dataset.SliceThickness, dataset.SpacingBetweenSlices = abs(step_mm), step_mm
    detector = Dataset()
    detector.ImageOrientationPatient, detector.ImagePositionPatient = [1, 0, 0, 0, 1, 0], ORIGIN.tolist()
    dataset.DetectorInformationSequence = [detector]
    dataset.SliceVector = list(range(1, SHAPE[0] + 1))
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
    for keyword, value in changes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    order = np.argsort(np.argsort(dataset.get("SliceVector", range(SHAPE[0]))))
    dataset.PixelData = stored[order].tobytes()
    dataset.save_as(path, enforce_file_format=True)
    return DicomFile(pydicom.dcmread(path, stop_before_pixels=True), path.name, path)


@pytest.mark.parametrize("step_mm", [5.0, -5.0])
@pytest.mark.parametrize("vector", [[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1], [2, 1, 4, 3, 6, 5], None])
def test_every_voxel_lies_where_its_slice_says(tmp_path, step_mm, vector):
    file = a_tomogram(tmp_path / "nm.dcm", step_mm, SliceVector=vector)
    assert is_nuclear_volume(file)
    volume = read_nuclear_volume(file).volume
    centres = volume.centres_lps()
    np.testing.assert_allclose(volume.array.ravel(), a_value_at(centres), atol=1e-3)
    low, high = ORIGIN[2] + min(0.0, 5 * step_mm), ORIGIN[2] + max(0.0, 5 * step_mm)
    assert (centres[:, 2].min(), centres[:, 2].max()) == pytest.approx((low, high))
    assert np.linalg.det(volume.index_to_lps[:3, :3]) > 0
    second = ORIGIN + np.array([4.0, 3.0, step_mm])
    values, inside = sample_linear(volume, second[None])
    assert inside.all()
    assert values[0] == pytest.approx(a_value_at(second), abs=1.0)


def test_what_it_says_of_itself_is_kept(tmp_path):
    series = read_nuclear_volume(a_tomogram(tmp_path / "nm.dcm"))
    assert (series.modality, series.description, series.volume.frame_of_reference_uid) == ("NM", "Perfusion", "1.2")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"]}, "not a reconstructed tomogram"),
        ({"SliceVector": [1, 1, 2, 2, 3, 3]}, r"SliceVector \(0054,0080\) does not number"),
        ({"SpacingBetweenSlices": None, "SliceThickness": None}, r"SpacingBetweenSlices \(0018,0088\) is missing"),
        ({"DetectorInformationSequence": []}, r"DetectorInformationSequence \(0054,0022\) is empty"),
        ({"DetectorInformationSequence": [Dataset()]}, r"ImageOrientationPatient \(0020,0037\) is missing"),
    ],
)
def test_what_cannot_be_placed_is_refused_with_its_tag(tmp_path, changes, message):
    with pytest.raises(ReirradiationError, match=message):
        read_nuclear_volume(a_tomogram(tmp_path / "nm.dcm", **changes))


def test_a_folder_with_a_tomogram_is_read_as_a_series(tmp_path):
    a_tomogram(tmp_path / "nm.dcm")
    (found,) = read_image_folder(tmp_path, "NM")
    np.testing.assert_allclose(
        found.image.volume.array.ravel(), a_value_at(found.image.volume.centres_lps()), atol=1e-3
    )
    a_tomogram(tmp_path / "second.dcm", SOPInstanceUID="1.2.9")
    with pytest.raises(ReirradiationError, match=r"SeriesInstanceUID \(0020,000E\) is that of another volume"):
        read_image_folder(tmp_path, "NM")
