"""DVHs of twenty structures, and their error on analytic shapes, beside dicompyler-core in the same process.

Needs the reference cases. Organs are sampled once when a review is opened; afterwards a DVH is a sum over samples.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pydicom.dicomio
from ReirradiationReviewLib.core.courses import Structure
from ReirradiationReviewLib.core.dicom import read_course
from ReirradiationReviewLib.core.dose_mapping import PlanField, PlanWeight
from ReirradiationReviewLib.core.linear_dose import physical_terms
from ReirradiationReviewLib.core.mapped_doses import SampledOrgan, sampled_organ
from ReirradiationReviewLib.core.organs.dvh import dose_volume
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.volume import sample_linear

# dicompyler-core 0.5.6 still asks for the name that pydicom 3 dropped.
pydicom.dicomio.read_file = pydicom.dcmread
from dicompylercore import dvhcalc  # noqa: E402

LIMIT_TIMES = 10.0
LEVELS = 200
COUNT = 20
REPEATS = 3
DATA = Path(os.environ.get("REIRRADIATION_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


def datasets(folder: Path) -> dict[str, list[pydicom.Dataset]]:
    """Return the RTSTRUCT and RTDOSE objects of a folder, read once."""
    found: dict[str, list[pydicom.Dataset]] = {"RTSTRUCT": [], "RTDOSE": []}
    for path in sorted(folder.rglob("*.dcm")):
        dataset = pydicom.dcmread(path)
        if dataset.Modality in found:
            found[dataset.Modality].append(dataset)
    return found


def median_seconds(work: Callable[[], object]) -> float:
    """Return the median time of a few calls."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def curve_of(organ: SampledOrgan) -> object:
    """Return the DVH of the first plan's physical dose."""
    terms = physical_terms(organ.moments, [PlanWeight(1)])
    return organ.blocks.dose(terms.coefficients, terms.active).curve(LEVELS)


def curve_of_new(organ: SampledOrgan, field: PlanField) -> object:
    """Return the DVH of a physical dose that was not read at the organ before."""
    dose_gy, inside = sample_linear(field.dose, organ.samples.points_lps)
    volumes = organ.samples.volumes_cc
    if inside.all():
        return dose_volume(dose_gy, volumes).curve(LEVELS)
    return dose_volume(dose_gy[inside], volumes[inside], float(volumes[~inside].sum())).curve(LEVELS)


def time_them() -> None:
    """Time the organs and targets of the head-and-neck case's first course, twice over.

    The peer cannot read the second course's dose, whose grid states its planes as absolute positions.
    """
    folder = DATA / "reirr_hn" / "course1"
    course, files = read_course(folder, "course"), datasets(folder)
    field = PlanField(course.plans[0].dose, SpatialTransform())
    thickness_mm = float(course.ct.volume.spacing_mm[2]) if course.ct else 0.0
    # The patient's outline is no organ; it would outweigh all others.
    organs_and_targets = [structure for structure in course.structures if structure.name.upper() != "BODY"]
    jobs: list[tuple[Structure, PlanField, float, pydicom.Dataset, pydicom.Dataset]] = [
        (structure, field, thickness_mm, files["RTSTRUCT"][0], files["RTDOSE"][0]) for structure in organs_and_targets
    ]
    jobs = (jobs * COUNT)[:COUNT]
    organs = [sampled_organ(structure, [field], thickness_mm) for structure, field, thickness_mm, _, _ in jobs]
    for organ in organs:
        curve_of(organ)  # the blocks are made once
    pairs = list(zip(organs, jobs, strict=True))
    peer = median_seconds(lambda: [dvhcalc.get_dvh(job[3], job[4], job[0].number) for job in jobs])
    again = median_seconds(lambda: [curve_of(organ) for organ in organs])
    new = median_seconds(lambda: [curve_of_new(organ, job[1]) for organ, job in pairs])
    drawn = median_seconds(lambda: [curve_of(sampled_organ(job[0], [job[1]], job[2])) for job in jobs])
    print(f"{len(jobs)} structures: dicompyler-core, objects read beforehand   {peer:7.3f} s")
    for what, taken in (
        ("on samples, after a change of settings", again),
        ("on samples, of a new dose", new),
        ("from contours, as a review is opened", drawn),
    ):
        print(f"   {what:42s} {taken:7.3f} s   {peer / taken:6.1f} x quicker, limit {LIMIT_TIMES:g}")


def closed_form(case: str, shape: str) -> Callable[[np.ndarray], np.ndarray] | None:
    """Return the share of a shape that receives at least a dose in Gy, see truth.json of the analytic cases."""
    along = case[-2:]
    forms = {
        ("sphere", "AP"): lambda t: (2 - 3 * t + t**3) / 4,
        ("sphere", "SI"): lambda t: (2 - 3 * t + t**3) / 4,
        ("cylinder", "AP"): lambda t: (np.arccos(t) - t * np.sqrt(1 - t**2)) / np.pi,
        ("cylinder", "SI"): lambda t: (1 - t) / 2,
        ("cone", "SI"): lambda t: ((1 - t) / 2) ** 3,
    }
    form = forms.get((shape, along))
    return None if form is None else (lambda dose_gy: form(np.clip((dose_gy - 20.0) / 12.0, -1.0, 1.0)))


def errors_of(case: Path, dose_file: Path, scratch: Path) -> list[tuple[float, float]]:
    """Return the greatest error of V(D), in percent of the volume, of dicompyler-core and of ours, for each shape."""
    folder = scratch / f"{case.name}_{dose_file.stem}"
    folder.mkdir()
    for path in case.iterdir():
        if not path.name.startswith("RD") or path == dose_file:
            shutil.copy(path, folder)
    course, files = read_course(folder, case.name), datasets(folder)
    field = PlanField(course.plans[0].dose, SpatialTransform())
    levels = np.linspace(8.5, 31.5, 47)
    found = []
    for structure in course.structures:
        truth = closed_form(case.name, structure.name.lower())
        if truth is None:
            continue
        peer = dvhcalc.get_dvh(files["RTSTRUCT"][0], files["RTDOSE"][0], structure.number)
        of_peer = np.interp(levels, peer.bins[: len(peer.counts)], peer.counts / peer.volume)
        organ = sampled_organ(structure, [field], 1.0)
        terms = physical_terms(organ.moments, [PlanWeight(1)])
        ours = organ.blocks.dose(terms.coefficients, terms.active)
        of_ours = np.array([ours.volume_cc_at_dose(level) for level in levels]) / ours.total_volume_cc
        of_both = [100.0 * float(np.abs(values - truth(levels)).max()) for values in (of_peer, of_ours)]
        found.append((of_both[0], of_both[1]))
    return found


def compare_errors() -> None:
    """Compare both with closed forms on the analytic cases."""
    with tempfile.TemporaryDirectory() as scratch:
        errors = [
            error
            for case in sorted(path for path in (DATA / "analytic").iterdir() if path.is_dir())
            for dose_file in sorted(case.glob("RD_*.dcm"))
            for error in errors_of(case, dose_file, Path(scratch))
        ]
    peer, ours = np.array(errors).T
    print(f"greatest error of V(D) in percent of the volume, {len(errors)} shapes on analytic doses")
    print(f"   dicompyler-core  mean {peer.mean():6.3f}   greatest {peer.max():6.3f}")
    print(f"   ours             mean {ours.mean():6.3f}   greatest {ours.max():6.3f}")
    print(f"   {peer.mean() / ours.mean():.1f} x smaller, limit {LIMIT_TIMES:g}")


def main() -> None:
    """Time, then compare with closed forms."""
    if not DATA.is_dir():
        print("the reference cases are not here (set REIRRADIATION_DATA)")
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        time_them()
        compare_errors()


if __name__ == "__main__":
    main()
