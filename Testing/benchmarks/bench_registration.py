"""Deformable registration beside its peers: error against the known deformation, time, and ratios, in one run.

Runs on the two-course head-and-neck case, from the same rigid start: ours, plain SimpleITK (fast symmetric demons)
and plastimatch (B-spline, mean squared difference; package extra "bench").
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from ReirradiationReviewLib.core.dicom import read_course
from ReirradiationReviewLib.core.registration.deformable import register_deformable
from ReirradiationReviewLib.core.registration.rigid import register_rigid
from ReirradiationReviewLib.core.registration.transform import SpatialTransform

DATA = Path(os.environ.get("REIRRADIATION_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
MEAN_LIMIT_MM, MAX_LIMIT_MM = 0.3, 0.8


def demons(fixed: sitk.Image, moving: sitk.Image) -> sitk.DisplacementFieldTransform:
    """Return what SimpleITK's own fast symmetric forces demons find, from coarse to fine."""
    field = None
    for shrink, iterations in ((4, 60), (2, 40), (1, 20)):
        small = sitk.Shrink(sitk.DiscreteGaussian(fixed, (shrink / 2) ** 2), [shrink] * 3)
        other = sitk.Shrink(sitk.DiscreteGaussian(moving, (shrink / 2) ** 2), [shrink] * 3)
        engine = sitk.FastSymmetricForcesDemonsRegistrationFilter()
        engine.SetNumberOfIterations(iterations)
        engine.SetStandardDeviations(1.5)
        if field is None:
            field = engine.Execute(small, other)
        else:
            field = engine.Execute(small, other, sitk.Resample(field, small))
    return sitk.DisplacementFieldTransform(sitk.Cast(field, sitk.sitkVectorFloat64))


_PLASTIMATCH_STAGES = """
[GLOBAL]
fixed={folder}/fixed.mha
moving={folder}/moving.mha
vf_out={folder}/field.mha
default_value=-1000
[STAGE]
xform=bspline
optim=lbfgsb
impl=plastimatch
metric=mse
max_its=50
regularization_lambda=0.005
grid_spac=40 40 40
res=4 4 2
[STAGE]
max_its=50
grid_spac=25 25 25
res=2 2 2
[STAGE]
max_its=50
grid_spac=14 14 14
res=1 1 1
"""


def plastimatch(fixed: sitk.Image, moving: sitk.Image) -> sitk.DisplacementFieldTransform:
    """Return what plastimatch's B-spline registration finds."""
    with tempfile.TemporaryDirectory() as folder:
        sitk.WriteImage(fixed, f"{folder}/fixed.mha")
        sitk.WriteImage(moving, f"{folder}/moving.mha")
        commands = Path(folder) / "stages.txt"
        commands.write_text(_PLASTIMATCH_STAGES.format(folder=folder), encoding="utf-8")
        program = Path(sys.executable).parent / "plastimatch"
        subprocess.run([program, "register", str(commands)], check=True, stdout=subprocess.DEVNULL)
        field = sitk.ReadImage(f"{folder}/field.mha", sitk.sitkVectorFloat64)
    return sitk.DisplacementFieldTransform(field)


def main() -> None:
    """Run every engine from the same rigid start."""
    case = DATA / "reirr_hn"
    if not case.is_dir():
        print("the head-and-neck case is not here (set REIRRADIATION_DATA)")
        return
    earlier, new = (read_course(case / name, name).ct.volume for name in ("course1", "course2"))
    landmarks = json.loads((case / "truth.json").read_text(encoding="utf-8"))["landmarks"]
    there, here = np.array(landmarks["course1"]), np.array(landmarks["course2"])

    def say(name: str, moved: np.ndarray, seconds: float) -> None:
        error = np.linalg.norm(moved - there, axis=1)
        print(
            f"{name:34s} mean {error.mean():5.2f} mm ({error.mean() / MEAN_LIMIT_MM:5.0%} of the limit)   "
            f"max {error.max():5.2f} mm ({error.max() / MAX_LIMIT_MM:5.0%})   {seconds:5.1f} s"
        )

    started = time.perf_counter()
    rigid = register_rigid(new, earlier)
    say("rigid", rigid.transform.apply(here), time.perf_counter() - started)

    started = time.perf_counter()
    ours = register_deformable(new, earlier, rigid.transform)
    our_seconds = time.perf_counter() - started
    say("ours, spline by Gauss-Newton", ours.transform.apply(here), our_seconds)

    fixed = sitk.Clamp(sitk.Cast(new.to_sitk(), sitk.sitkFloat32), lowerBound=-1000, upperBound=1000)
    moving = sitk.Clamp(sitk.Cast(earlier.to_sitk(), sitk.sitkFloat32), lowerBound=-1000, upperBound=1000)
    start = SpatialTransform(rigid.transform.matrix_lps).to_sitk()
    resampled = sitk.Resample(moving, fixed, start, sitk.sitkLinear, -1000.0)
    peers = {"SimpleITK fast symmetric demons": demons}
    if (Path(sys.executable).parent / "plastimatch").is_file():
        peers["plastimatch B-spline"] = plastimatch
    else:
        print("plastimatch is not installed (make bench installs it)")
    for name, find in peers.items():
        started = time.perf_counter()
        found = find(fixed, resampled)
        seconds = time.perf_counter() - started
        moved = rigid.transform.apply(np.array([found.TransformPoint(point.tolist()) for point in here]))
        say(name, moved, seconds)
        print(f"    ours takes {our_seconds / seconds:.2f} times as long")


if __name__ == "__main__":
    main()
