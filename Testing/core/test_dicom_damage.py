"""Damaged folders: the right dose, or a plain refusal; never another error and never a silently wrong number."""

from __future__ import annotations

import random

import numpy as np
import pydicom
import pytest
from dicom_case import FRACTIONS, make_case, worst_dose_error_gy
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from ReirradiationReviewLib.core.dicom import inspect, read_course
from ReirradiationReviewLib.core.errors import ReirradiationError


@pytest.mark.parametrize("name", ["RD.dcm", "RS.dcm", "RP.dcm", "CT/2.dcm"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_file_that_is_cut_short_is_never_read_as_if_it_were_whole(tmp_path, name, share):
    make_case().write(tmp_path)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(ReirradiationError, match=name):
        read_course(tmp_path, "course 1")


def chosen_place(dataset: Dataset, chance: random.Random) -> tuple[Dataset, pydicom.DataElement]:
    """Return one element, at any depth, and the data set that holds it."""
    element = chance.choice(list(dataset))
    inner = [part for part in element.value if len(part)] if element.VR == "SQ" and element.value else []
    return chosen_place(chance.choice(inner), chance) if inner and chance.random() < 0.7 else (dataset, element)


def garble(dataset: Dataset, chance: random.Random) -> None:
    """Give one element a value that it should not have."""
    holder, element = chosen_place(dataset, chance)
    if element.VR in ("DS", "IS", "CS", "UI", "LO", "SH", "DA", "PN"):
        holder.add_new(element.tag, "LO", chance.choice(["-1", "1e400", "x", "0", "7\\7", "NaN", "2.5"]))


def lose(dataset: Dataset, chance: random.Random) -> None:
    """Delete or empty one element."""
    holder, element = chosen_place(dataset, chance)
    if chance.random() < 0.5:
        del holder[element.tag]
    else:
        element.value = None


def damaged_folder(folder, harm, seed):
    chance = random.Random(seed)
    case = make_case()
    for _ in range(chance.choice([1, 1, 2, 4])):
        harm(case[chance.choice(["RD.dcm", "RD.dcm", "RP.dcm", "RS.dcm", "CT/1.dcm"])], chance)
    for dataset in case.values():  # without these it could not be written as a file
        for keyword in ("SOPClassUID", "SOPInstanceUID"):
            if not dataset.get(keyword):
                setattr(dataset, keyword, generate_uid())
    return case.write(folder)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_missing_the_dose_is_right_or_refused(tmp_path, seed):
    for plan in read_or_refuse(damaged_folder(tmp_path, lose, seed)):
        assert worst_dose_error_gy(plan.dose) < 1e-4
        assert plan.fractions in (FRACTIONS, None)


@pytest.mark.parametrize("seed", range(40))
def test_garbled_values_give_a_course_or_a_plain_refusal(tmp_path, seed):
    folder = damaged_folder(tmp_path, garble, seed)
    refused = not read_or_refuse(folder)
    (summary,) = inspect([folder]).folders
    assert refused == (summary.course is None or not summary.course.plans)


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_give_a_course_or_a_plain_refusal(tmp_path, seed):
    chance = random.Random(seed)
    folder = make_case().write(tmp_path)
    path = folder / chance.choice(["RD.dcm", "RP.dcm", "RS.dcm", "CT/1.dcm"])
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 3, 10])):
        content[chance.randrange(128, len(content))] = chance.randrange(256)
    path.write_bytes(content)
    read_or_refuse(folder)


def read_or_refuse(folder):
    """Return the plans of a folder, none where it is refused; anything but ReirradiationError fails the test."""
    try:
        plans = read_course(folder, "course 1").plans
    except ReirradiationError:
        return ()
    for plan in plans:
        assert np.isfinite(plan.dose.array).all()
        assert np.isfinite(plan.dose.index_to_lps).all()
    return plans
