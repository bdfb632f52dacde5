"""Real PET, MR and CT contours of one tumour: agreement against SimpleITK on masks of its own."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from ReirradiationReviewLib.core.courses import Structure, as_points
from ReirradiationReviewLib.core.targets.combine import agreement, doubtful, intersection, union
from ReirradiationReviewLib.core.targets.derived import regions_by_name

pytestmark = pytest.mark.slow
MODALITIES = {"CT": "CT", "MR_T1": "MR", "PET": "PT"}
PITCH_MM = 1.0


@pytest.fixture(scope="module")
def contours(data_dir):
    """The GTV of each modality, read by pydicom alone."""
    found = {}
    for folder in MODALITIES:
        dataset = pydicom.dcmread(data_dir / "pet_mr_sts001" / folder / "mask" / "RS.dcm")
        drawn = [as_points(contour.ContourData) for contour in dataset.ROIContourSequence[0].ContourSequence]
        found[folder] = Structure(f"GTV_{folder}", 1, tuple(drawn))
    return found


@pytest.fixture(scope="module")
def regions(contours):
    made = regions_by_name((), list(contours.values()), [each.name for each in contours.values()])
    return dict(zip(contours, made, strict=True))


@pytest.fixture(scope="module")
def masks(contours):
    """Masks by matplotlib's point-in-polygon on the planes of the contours, spread to the middle between planes."""
    from matplotlib.path import Path

    everything = np.concatenate([c for each in contours.values() for c in each.contours_lps])
    low, high = everything.min(axis=0) - 5.0, everything.max(axis=0) + 5.0
    x, y, z = (np.arange(a, b, PITCH_MM) for a, b in zip(low, high, strict=True))
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    result = {}
    for name, each in contours.items():
        planes: dict[float, np.ndarray] = {}
        for contour in each.contours_lps:
            inside = Path(contour[:, :2]).contains_points(points).reshape(len(y), len(x))
            height = round(float(contour[0, 2]), 2)
            planes[height] = planes.get(height, np.zeros_like(inside)) ^ inside
        heights = np.array(sorted(planes))
        gap = float(np.median(np.diff(heights)))
        nearest = np.abs(z[:, None] - heights).argmin(axis=1)
        near = np.abs(z - heights[nearest]) <= gap / 2
        array = np.stack([planes[heights[n]] if ok else np.zeros((len(y), len(x)), bool)
                          for n, ok in zip(nearest, near, strict=True)])  # fmt: skip
        image = sitk.GetImageFromArray(array.astype(np.uint8))
        image.SetSpacing([PITCH_MM] * 3)
        result[name] = image
    return result


@pytest.mark.parametrize("pair", [("CT", "MR_T1"), ("CT", "PET"), ("MR_T1", "PET")])
def test_agreement_of_real_contours_is_that_of_simpleitk(pair, regions, masks):
    first, second = pair
    found = agreement(regions[first], regions[second])
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(masks[first], masks[second])
    assert found.dice == pytest.approx(overlap.GetDiceCoefficient(), abs=0.02)
    distances = []
    for one, other in ((first, second), (second, first)):
        distance = sitk.Abs(sitk.SignedMaurerDistanceMap(masks[other], squaredDistance=False, useImageSpacing=True))
        surface = sitk.GetArrayFromImage(sitk.LabelContour(masks[one])) > 0
        distances.append(sitk.GetArrayFromImage(distance)[surface])
    assert found.mean_distance_mm == pytest.approx(float(np.concatenate(distances).mean()), abs=0.5)
    volume = np.count_nonzero(sitk.GetArrayFromImage(masks[first])) * PITCH_MM**3 / 1000.0
    assert found.first_cc == pytest.approx(volume, rel=0.03)


def test_what_one_modality_shows_alone_is_union_less_what_two_show(regions):
    modalities = [
        type(region)(name, region.mask, region.provenance, MODALITIES[name]) for name, region in regions.items()
    ]
    pairs = [intersection("both", two) for two in (modalities[:2], modalities[1:], modalities[::2])]
    alone = doubtful("alone", modalities)
    expected = union("any", modalities).volume_cc - union("two or more", pairs).volume_cc
    assert alone.volume_cc == pytest.approx(expected, rel=0.05)
