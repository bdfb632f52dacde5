"""Comparing one organ's contours under a registration, beside SimpleITK's overlap and distance filters on voxels."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from ReirradiationReviewLib.core.organs.voxels import voxels_inside
from ReirradiationReviewLib.core.registration.qa.contours import compare_contours
from ReirradiationReviewLib.core.registration.qa.images import compare_images
from ReirradiationReviewLib.core.registration.qa.jacobian import field_determinants
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.volume import Volume

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "core"))
from drawn_shapes import a_ball, textured

REPEATS = 3
RADIUS_MM, SHIFT_MM = 20.0, 4.0


def median_seconds(work: Callable[[], object]) -> float:
    """Return the median time of a few calls."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def by_simpleitk(first: sitk.Image, second: sitk.Image) -> tuple[float, float, float]:
    """Return Dice, mean surface distance and Hausdorff distance of two masks."""
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(first, second)
    hausdorff = sitk.HausdorffDistanceImageFilter()
    hausdorff.Execute(first, second)
    means = []
    for here, there in ((first, second), (second, first)):
        distance = sitk.Abs(sitk.SignedMaurerDistanceMap(there, squaredDistance=False, useImageSpacing=True))
        rim = sitk.GetArrayViewFromImage(sitk.LabelContour(here)) > 0
        means.append(sitk.GetArrayViewFromImage(distance)[rim])
    return overlap.GetDiceCoefficient(), float(np.concatenate(means).mean()), hausdorff.GetHausdorffDistance()


def main() -> None:
    """Time a ball of 34 cc, displaced by 4 mm, and a CT and a field of a million voxels."""
    matrix = np.eye(4)
    matrix[0, 3] = SHIFT_MM
    drawn, earlier = a_ball((0, 0, 0), RADIUS_MM), a_ball((0, 0, 0), RADIUS_MM)
    ours = median_seconds(lambda: compare_contours(drawn, earlier, SpatialTransform(matrix)))
    found = compare_contours(drawn, earlier, SpatialTransform(matrix))
    grid = Volume(np.zeros((56, 56, 60), dtype=np.uint8), np.diag([0.9, 0.9, 0.9, 1.0]))
    grid.index_to_lps[:3, 3] = -27.0
    masks = [
        grid.like(voxels_inside(structure, grid).astype(np.uint8)).to_sitk()
        for structure in (drawn, a_ball((-SHIFT_MM, 0, 0), RADIUS_MM))
    ]
    theirs = median_seconds(lambda: by_simpleitk(*masks))
    dice, mean_mm, hausdorff_mm = by_simpleitk(*masks)
    cosine = np.linspace(-1, 1, 10_001)
    away = np.abs(np.sqrt(RADIUS_MM**2 + SHIFT_MM**2 - 2 * RADIUS_MM * SHIFT_MM * cosine) - RADIUS_MM)
    lens = (4 * RADIUS_MM + SHIFT_MM) * (2 * RADIUS_MM - SHIFT_MM) ** 2 / (16 * RADIUS_MM**3)
    print("                                       exact   ours  SimpleITK on 0.9 mm voxels")
    print(f"Dice                                  {lens:6.3f} {found.dice:6.3f} {dice:6.3f}")
    print(f"mean distance (mm)                    {away.mean():6.3f} {found.mean_distance_mm:6.3f} {mean_mm:6.3f}")
    print(f"Hausdorff (mm)                        {SHIFT_MM:6.3f} {found.hausdorff_mm:6.3f} {hausdorff_mm:6.3f}")
    print(f"time from contours, and from masks that are there already  {ours:6.2f} s {theirs:6.2f} s")
    image = textured(1, (100, 100, 100))
    random = np.random.default_rng(2)
    field = Volume(random.normal(0, 1, (100, 100, 100, 3)).astype(np.float32), image.index_to_lps)
    transform = SpatialTransform(np.eye(4), field)
    warped = median_seconds(lambda: transform.apply(image.centres_lps()))
    alike = median_seconds(lambda: compare_images(image, image, transform))
    determinants = median_seconds(lambda: field_determinants(transform))
    print(f"image agreement, 1 M voxels, as a multiple of warping them        {alike / warped:6.2f}")
    print(f"Jacobian at all cell corners, 8 M, as a multiple of the same      {determinants / warped:6.2f}")


if __name__ == "__main__":
    main()
