"""From a threshold to the target's mask, volume and contour on the planning CT, on a PET of 200 x 200 x 200 voxels.

The limit is 150 ms for each step of a slider. For comparison: the same by labelling the whole image (scipy) and walking
its surface (SimpleITK's threshold and connected components), without any contour.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
from ReirradiationReviewLib.core.courses import ImageSeries
from ReirradiationReviewLib.core.images import PlacedImage
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.targets.lesion import Lesion, Search
from ReirradiationReviewLib.core.targets.outline import structure_of
from ReirradiationReviewLib.core.targets.pet import percent_of_maximum
from ReirradiationReviewLib.core.volume import Volume

SIZE, SPACING_MM = 200, np.array([3.0, 3.0, 3.0])
LIMIT_MS = 150.0


def a_pet(radius_mm: float) -> PlacedImage:
    """Return a noisy body of SUV 1 with a hot ball of SUV 8 in its middle, blurred."""
    from scipy.ndimage import gaussian_filter

    matrix = np.diag([*SPACING_MM, 1.0])
    matrix[:3, 3] = -SPACING_MM * (SIZE - 1) / 2
    volume = Volume(np.empty((SIZE,) * 3, dtype=np.float32), matrix)
    away = np.linalg.norm(volume.centres_lps(), axis=1).reshape(volume.array.shape)
    suv = 1.0 + 7.0 * (away < radius_mm)
    noisy = suv * (1 + 0.1 * np.random.default_rng(0).standard_normal(suv.shape))
    values = volume.like(gaussian_filter(noisy, 2.0 / SPACING_MM[0]).astype(np.float32))
    return PlacedImage("PET", ImageSeries(values, "PT", units="SUVbw (g/mL)"), values, SpatialTransform(), "identity")


def a_ct() -> Volume:
    matrix = np.diag([0.98, 0.98, 2.5, 1.0])
    matrix[:3, 3] = -np.array([0.98, 0.98, 2.5]) * [256, 256, 120]
    return Volume(np.empty((240, 512, 512), dtype=np.int16), matrix)


def median_ms(work, repeats: int = 9) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def whole_image_ms(image: PlacedImage, threshold: float) -> float:
    """Return the time of a threshold and connected components of the whole image in SimpleITK."""
    import SimpleITK as sitk

    picture = image.volume.to_sitk()

    def work() -> None:
        seed = [SIZE // 2] * 3
        labels = sitk.GetArrayFromImage(sitk.ConnectedThreshold(picture, [seed], threshold, 1e9))
        np.count_nonzero(labels)

    return median_ms(work, 5)


def main() -> None:
    ct = a_ct()
    for radius_mm in (10.0, 20.0, 35.0):
        image = a_pet(radius_mm)
        start = time.perf_counter()
        lesion = Lesion(image, Search(np.zeros(3)))
        lesion.above(lesion.peak)
        prepared_ms = 1000 * (time.perf_counter() - start)
        percents = iter(np.linspace(35, 60, 100))

        def step(lesion=lesion, percents=percents) -> None:
            region = percent_of_maximum(lesion, float(next(percents)))
            _ = region.volume_cc
            structure_of(region, ct)

        each_ms = median_ms(step)
        whole_ms = whole_image_ms(image, 0.41 * lesion.peak)
        print(
            f"ball of {2 * radius_mm:g} mm: {each_ms:.0f} ms for each threshold with mask, volume and contours "
            f"({each_ms / LIMIT_MS:.2f} of the limit of {LIMIT_MS:g} ms), once {prepared_ms:.0f} ms to prepare; "
            f"SimpleITK on the whole image, mask and volume only: {whole_ms:.0f} ms, ratio {each_ms / whole_ms:.2f}"
        )


if __name__ == "__main__":
    main()
