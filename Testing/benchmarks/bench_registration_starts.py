"""Whether rigid registration ends at the same place wherever it starts: random starts and cropped fields of view.

Runs on the two-course head-and-neck case. The earlier CT is moved by up to 60 mm along each axis and turned by up to 20
degrees about each before it is registered; every fifth time its field of view is cropped as well.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from ReirradiationReviewLib.core.dicom import read_course
from ReirradiationReviewLib.core.registration.rigid import register_rigid
from ReirradiationReviewLib.core.volume import Volume, affine
from scipy.spatial.transform import Rotation

DATA = Path(os.environ.get("REIRRADIATION_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
STARTS, LIMIT = 50, 48
FARTHEST_MM, FARTHEST_DEGREES, SAME_END_MM = 60.0, 20.0, 0.5


def moved(volume: Volume, rng: np.random.Generator) -> tuple[Volume, np.ndarray]:
    """Return the volume somewhere else, and the matrix that brought it there."""
    matrix = np.eye(4)
    angles = rng.uniform(-FARTHEST_DEGREES, FARTHEST_DEGREES, 3)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    centre = volume.corners_lps().mean(axis=0)
    matrix[:3, 3] = centre - matrix[:3, :3] @ centre + rng.uniform(-FARTHEST_MM, FARTHEST_MM, 3)
    return replace(volume, index_to_lps=matrix @ volume.index_to_lps), matrix


def cropped(volume: Volume, rng: np.random.Generator) -> Volume:
    """Return two thirds of the volume's slices."""
    count = volume.array.shape[0]
    first = int(rng.integers(0, count // 3))
    return volume.part((slice(first, first + 2 * count // 3), slice(None), slice(None)))


def main() -> None:
    """Count how many starts end within half a millimetre of the end without any move."""
    case = DATA / "reirr_hn"
    if not case.is_dir():
        print("the head-and-neck case is not here (set REIRRADIATION_DATA)")
        return
    earlier, new = (read_course(case / name, name).ct.volume for name in ("course1", "course2"))
    rng = np.random.default_rng(1)
    body = new.centres_lps()[new.array.ravel() > -200.0][::997]
    whole_end = register_rigid(new, earlier).transform.apply(body)
    misses, started = [], time.perf_counter()
    for number in range(STARTS):
        image, end = earlier, whole_end
        if number % 5 == 4:  # less of the patient may fit best a little elsewhere: its own end without a move counts
            image = cropped(earlier, rng)
            end = register_rigid(new, image).transform.apply(body)
        start, matrix = moved(image, rng)
        found = register_rigid(new, start)
        back = affine(np.linalg.inv(matrix), found.transform.apply(body))
        misses.append(np.inf if found.failed else float(np.linalg.norm(back - end, axis=1).mean()))
    same = sum(miss <= SAME_END_MM for miss in misses)
    seconds = (time.perf_counter() - started) / STARTS
    worst = ", ".join(f"{miss:.2f}" for miss in sorted(misses)[-4:])
    print(f"{same} of {STARTS} starts end within {SAME_END_MM} mm ({LIMIT} wanted); the farthest: {worst} mm")
    print(f"{seconds:.1f} s for each")


if __name__ == "__main__":
    main()
