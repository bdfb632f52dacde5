"""PET values to SUV: activity concentration times body size, over the activity injected, decayed to the same time.

After the IBSI manual for SUV computation (oncoray/suv_computation) and the QIBA vendor-neutral pseudo-code:
``SUV = C W / D``, C in Bq/mL, W in g and D in Bq (1 mL of tissue weighs 1 g).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..courses import ImageSeries
from ..errors import Notice, ReirradiationError
from .body import KNOWN_TYPES, SUV_TYPES, UNIT_WORDS, normaliser
from .facts import PetFacts, SliceTimes
from .times import injection_time, value_time

# A dose below this is one in MBq: 0.1 MBq is given to nobody, and neither are 100 000 MBq.
_LEAST_DOSE_BQ = 1e5
# Half-lives in s that a radionuclide's code stands in for (values of the IBSI reference objects).
_HALF_LIVES_S = {"F-18": 6586.2, "Ga-68": 4057.7}
# Values of one series that are decay-corrected to times further apart than this: 0.6 % for F-18.
_ONE_TIME_S = 60.0


@dataclass(frozen=True)
class SuvImage:
    """A PET series in SUV.

    Parameters
    ----------
    series
        Its values are SUV; ``units`` says which.
    facts
        How they came about, units in the keys: for the report and review.json.
    """

    series: ImageSeries
    facts: dict[str, Any]
    notices: tuple[Notice, ...]


@dataclass(frozen=True)
class _Activity:
    """Injected activity at the time of each slice's values, Bq, shape ``(K,)``."""

    bq: NDArray[np.float64]
    facts: dict[str, Any]
    notices: list[Notice]


def suv_image(series: ImageSeries, facts: PetFacts, kind: str = "bw") -> SuvImage:
    """Return a PET series in SUV.

    Parameters
    ----------
    series
        Rescaled values in the unit that ``facts`` state.
    kind
        ``"bw"`` (body weight), ``"lbm-james"``, ``"lbm-janma"`` (lean body mass) or ``"bsa"`` (body surface).

    Raises
    ------
    ReirradiationError
        If something that the SUV hangs on is unknown; the message names the attribute and how to enter it.
    """
    wanted = SUV_TYPES[kind]
    if facts.units in ("GML", "CM2ML"):
        factors, found, notices = _renormalised(facts, wanted)
        per_slice = np.full(len(series.volume.array), factors)
    else:
        per_slice, found, notices = _normalised(series, facts, wanted)
    values = np.asarray(series.volume.array * per_slice[:, None, None], dtype=np.float32)
    said = {
        "suv_type": UNIT_WORDS[wanted],
        "units_stored": facts.units,
        "decay_correction": facts.decay_correction or None,
        "weight_kg": facts.weight_kg,
        "height_m": facts.height_m,
        "sex": facts.sex or None,
        "suv_per_stored_unit": sorted({float(per_slice.min()), float(per_slice.max())}),
        **found,
        "entered_by_user": list(facts.entered),
    }
    if facts.entered:
        text = "values entered by the user went into the SUV: " + ", ".join(facts.entered)
        notices = [*notices, Notice("pet-values-entered", text, facts.name)]
    changed = replace(series, volume=series.volume.like(values), units=UNIT_WORDS[wanted])
    return SuvImage(changed, said, tuple(dict.fromkeys(notices)))


def _renormalised(facts: PetFacts, wanted: str) -> tuple[float, dict[str, Any], list[Notice]]:
    """Return the factor from values that are SUV already to the wanted kind."""
    stored = facts.suv_type or ("BSA" if facts.units == "CM2ML" else "BW")
    if stored not in KNOWN_TYPES or (stored == "BSA") != (facts.units == "CM2ML"):
        raise ReirradiationError(
            f"PET {facts.name!r}: SUVType (0054,1006) is {stored!r} with Units (0054,1001) {facts.units}, which is not "
            "known; export it in BQML"
        )
    found = {"stored_suv_type": stored}
    if stored == wanted:
        return 1.0, found, []
    over, notices = normaliser(facts, stored)
    by, more = normaliser(facts, wanted)
    return by / over, found, [*notices, *more]


def _normalised(
    series: ImageSeries, facts: PetFacts, wanted: str
) -> tuple[NDArray[np.float64], dict[str, Any], list[Notice]]:
    """Return the factor of each slice from activity or counts to the wanted kind."""
    checked = _check_corrections(facts)
    count = len(series.volume.array)
    if facts.units == "CNTS" and facts.philips_suv_factor:
        found = {"philips_suv_factor": facts.philips_suv_factor}
        if wanted == "BW":
            return np.full(count, facts.philips_suv_factor), found, checked
        over, notices = normaliser(facts, "BW")
        by, more = normaliser(facts, wanted)
        return np.full(count, facts.philips_suv_factor * by / over), found, [*checked, *notices, *more]
    bqml = _bqml_per_unit(facts)
    _require_known(facts)
    size, notices = normaliser(facts, wanted)
    activity = _activity(series.sop_instance_uids, facts)
    return bqml * size / activity.bq, activity.facts, [*checked, *notices, *activity.notices]


def _bqml_per_unit(facts: PetFacts) -> float:
    if facts.units == "BQML":
        return 1.0
    if facts.units == "CNTS":
        if facts.philips_bqml_factor:
            return facts.philips_bqml_factor
        raise facts.missing(
            "Units (0054,1001) is CNTS and there is neither Philips' SUV scale factor (7053,1000) nor its activity "
            "concentration scale factor (7053,1009)",
            "--pet-bqml-per-count",
        )
    raise ReirradiationError(
        f"PET {facts.name!r}: Units (0054,1001) is {facts.units or 'missing'!r}, from which no SUV can be computed; "
        "export it in BQML or GML, or go on without SUV (--suv none)"
    )


def _check_corrections(facts: PetFacts) -> list[Notice]:
    """Refuse values that cannot be activity: Corrected Image (0028,0051) says what was corrected."""
    if not facts.corrections:
        return []
    if "ATTN" not in facts.corrections:
        raise ReirradiationError(
            f"PET {facts.name!r}: CorrectedImage (0028,0051) lacks ATTN: without attenuation correction there is no "
            "SUV; use the corrected series, or go on without SUV (--suv none)"
        )
    if ("DECY" in facts.corrections) == (facts.decay_correction != "NONE"):
        return []
    text = (
        f"DecayCorrection (0054,1102) is {facts.decay_correction!r}, but CorrectedImage (0028,0051) is "
        f"{', '.join(facts.corrections)}: the former was believed; check it, the SUV hang on it"
    )
    return [Notice("pet-decay-contradiction", text, facts.name)]


def _require_known(facts: PetFacts) -> None:
    """Refuse with everything that is missing at once."""
    needed: list[tuple[str, object, str]] = [
        ("PatientWeight (0010,1030)", facts.weight_kg, "--pet-weight-kg"),
        ("RadionuclideTotalDose (0018,1074)", facts.dose_bq, "--pet-dose-mbq"),
        ("DecayCorrection (0054,1102)", facts.decay_correction or None, "--pet-decay-correction"),
    ]
    if facts.decay_correction != "ADMIN":
        half_life_s = _HALF_LIVES_S.get(facts.radionuclide) if facts.half_life_s is None else facts.half_life_s
        injection = facts.injected_time_s if facts.injected_at is None else facts.injected_at
        needed += [
            ("RadionuclideHalfLife (0018,1075)", half_life_s, "--pet-half-life-s"),
            ("RadiopharmaceuticalStartDateTime (0018,1078)", injection, "--pet-injection"),
        ]
    lacking = [(name, option) for name, value, option in needed if value is None]
    if lacking:
        verb = "is" if len(lacking) == 1 else "are"
        what = f"{', '.join(name for name, _ in lacking)} {verb} missing"
        raise facts.missing(what, ", ".join(option for _, option in lacking))


def _activity(uids: Sequence[str], facts: PetFacts) -> _Activity:
    dose_bq, notices = _dose_bq(facts)
    found: dict[str, Any] = {"injected_mbq": dose_bq / 1e6}
    if facts.decay_correction == "ADMIN":
        return _Activity(np.full(len(uids), dose_bq), found, notices)
    if facts.decay_correction not in ("START", "NONE"):
        said = facts.decay_correction or "missing"
        raise facts.missing(f"DecayCorrection (0054,1102) is {said!r}", "--pet-decay-correction")
    half_life_s, assumed = _half_life_s(facts)
    times: dict[SliceTimes, tuple[datetime, str]] = {}
    for uid in uids:
        of_slice = facts.slices.get(uid, SliceTimes())
        times.setdefault(of_slice, value_time(facts, of_slice, half_life_s))
    first, source = min(times.values())
    injected, more = injection_time(facts, first, half_life_s)
    notices += [*assumed, *more, *_time_notices(facts, [at for at, _ in times.values()], source)]
    seconds = np.array([(times[facts.slices.get(uid, SliceTimes())][0] - injected).total_seconds() for uid in uids])
    remaining = dose_bq * np.exp2(-seconds / half_life_s)
    found |= {
        "half_life_s": half_life_s,
        "radionuclide": facts.radionuclide or None,
        "injected_at": injected.isoformat(),
        "values_at": first.isoformat(),
        "values_at_source": source,
        "uptake_minutes": float(seconds.min() / 60),
        "injected_mbq_at_values": float(remaining.max() / 1e6),
    }
    return _Activity(remaining, found, notices)


def _time_notices(facts: PetFacts, times: Sequence[datetime], source: str) -> list[Notice]:
    notices = []
    spread_s = (max(times) - min(times)).total_seconds()
    if facts.decay_correction == "START" and spread_s > _ONE_TIME_S:
        text = (
            f"its slices state decay correction to times {spread_s:.0f} s apart ({min(times)} to {max(times)}); each "
            "was taken at its own"
        )
        notices.append(Notice("pet-several-decay-references", text, facts.name))
    if "alone" in source:
        text = f"the decay reference {min(times)} is {source}: check the acquisition time"
        notices.append(Notice("pet-decay-reference-assumed", text, facts.name))
    elif facts.decay_correction == "START" and facts.series_at is not None:
        late_s = (facts.series_at - min(times)).total_seconds()
        if abs(late_s) > _ONE_TIME_S:
            text = (
                f"SeriesTime (0008,0031) is {late_s:.0f} s after the decay reference {min(times)}, known from {source}"
            )
            notices.append(Notice("pet-series-time-differs", text, facts.name))
    return notices


def _dose_bq(facts: PetFacts) -> tuple[float, list[Notice]]:
    dose = facts.dose_bq
    if not dose or dose < 0:
        said = "missing" if dose is None else f"{dose:g}"
        raise facts.missing(f"RadionuclideTotalDose (0018,1074) is {said}", "--pet-dose-mbq")
    if dose >= _LEAST_DOSE_BQ:
        return dose, []
    text = f"RadionuclideTotalDose (0018,1074) is {dose:g}: it was taken for MBq, not Bq"
    return dose * 1e6, [Notice("pet-dose-in-mbq", text, facts.name)]


def _half_life_s(facts: PetFacts) -> tuple[float, list[Notice]]:
    stated = facts.half_life_s
    if stated is not None and stated > 0:
        return stated, []
    if (known := _HALF_LIVES_S.get(facts.radionuclide)) is not None:
        text = f"RadionuclideHalfLife (0018,1075) is missing: {known:g} s were taken, that of {facts.radionuclide}"
        return known, [Notice("pet-half-life-of-nuclide", text, facts.name)]
    raise facts.missing("RadionuclideHalfLife (0018,1075) is missing", "--pet-half-life-s")
