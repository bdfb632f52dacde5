"""Recovery by organ and interval: the tables that ship, own tables, and what never recovers."""

from __future__ import annotations

import json

import pytest
from ReirradiationReviewLib.core.biology.recovery import (
    list_recovery_tables,
    load_recovery_table,
    organ_recovery,
)
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.organs.names import match_organ
from ReirradiationReviewLib.core.resources import PROTOCOL_FOLDER

# Columns of the guideline: serial < 3, 3-6, 6-12 months, 1-3 and > 3 years; parallel < 3, 3-6, 6-24 months, > 2 years.
SERIAL_MONTHS = (0, 2.9, 3, 5.9, 6, 11.9, 12, 35.9, 36, 120)
UMICH = {
    "SpinalCord": (0, 0, 0.1, 0.1, 0.25, 0.25, 0.5, 0.5, 0.5, 0.5),
    "Esophagus": (0, 0, 0.1, 0.1, 0.25, 0.25, 0.5, 0.5, 0.5, 0.5),
    "Bowel_Small": (0, 0, 0, 0, 0.25, 0.25, 0.4, 0.4, 0.5, 0.5),
    "Stomach": (0, 0, 0, 0, 0.25, 0.25, 0.4, 0.4, 0.5, 0.5),
    "Duodenum": (0, 0, 0, 0, 0.25, 0.25, 0.25, 0.25, 0.5, 0.5),
    "Kidneys": (0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
}
PARALLEL_MONTHS = (2.9, 3, 5.9, 6, 23.9, 24)
UMICH_PARALLEL = {"Lungs": (0, 0, 0, 0.25, 0.25, 0.5), "Liver": (0, 0, 0, 0.5, 0.5, 1.0)}


def fraction(structure, months, table="umich", user=None):
    found = organ_recovery(match_organ(structure), structure, [months], load_recovery_table(table), user or {})
    return found[0].fraction


@pytest.mark.parametrize("organ", UMICH)
def test_the_michigan_table_has_its_columns_for_serial_organs(organ):
    assert tuple(fraction(organ, months) for months in SERIAL_MONTHS) == UMICH[organ]


@pytest.mark.parametrize("organ", UMICH_PARALLEL)
def test_the_michigan_table_has_its_columns_for_parallel_organs(organ):
    assert tuple(fraction(organ, months) for months in PARALLEL_MONTHS) == UMICH_PARALLEL[organ]


def test_half_of_the_liver_dose_is_forgiven_by_owen_and_nothing_else():
    assert fraction("Liver", 1, "owen_2020_liver") == 0.5
    assert fraction("SpinalCord", 100, "owen_2020_liver") == 0


def test_a_margin_and_a_side_are_given_the_organs_recovery():
    assert fraction("SpinalCord_PRV05", 7) == 0.25
    assert fraction("Lung_L", 7) == 0.25
    assert fraction("Liver-GTV", 7) == 0.5


def test_nothing_recovers_by_default_and_a_target_never():
    cord, target = match_organ("Cord"), match_organ("PTV")
    assert organ_recovery(cord, "Cord", [12.0, 0.0], None, {})[0].fraction == 0
    table = load_recovery_table("umich")
    assert organ_recovery(target, "PTV", [120.0], table, {"PTV": 0.5})[0].fraction == 0


def test_an_interval_that_is_not_known_forgives_nothing_and_says_so():
    found = organ_recovery(match_organ("Cord"), "Cord", [None], load_recovery_table("umich"), {})[0]
    assert found.fraction == 0
    assert "not known" in found.source


def test_each_course_has_the_recovery_of_its_own_interval():
    found = organ_recovery(match_organ("Cord"), "Cord", [40.0, 8.0, -3.0], load_recovery_table("umich"), {})
    assert [recovery.fraction for recovery in found] == [0.5, 0.25, 0.0]
    assert {recovery.status for recovery in found} == {"unverified"}


@pytest.mark.parametrize("name", ["My Cord", "SpinalCord"])
def test_the_users_value_wins_and_is_marked(name):
    match = match_organ("Cord")
    found = organ_recovery(match, "My Cord", [40.0], load_recovery_table("umich"), {name: 0.1})[0]
    assert (found.fraction, found.status) == (0.1, "user")


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_users_value_out_of_range_is_refused(value):
    with pytest.raises(ReirradiationError, match="0 to 1"):
        organ_recovery(match_organ("Cord"), "Cord", [1.0], None, {"Cord": value})


def test_the_tables_are_listed_and_said_in_words():
    assert {table.id for table in list_recovery_tables()} == {"umich", "owen_2020_liver"}
    text = "\n".join(load_recovery_table("umich").lines())
    assert "SpinalCord: from 0 months 0%, from 3 months 10%" in text
    assert "unverified" in text
    with pytest.raises(ReirradiationError, match="owen_2020_liver, umich"):
        load_recovery_table("none")


A_TABLE = {
    "schema": "reirradiation-review/recovery/1",
    "id": "mine",
    "title": "t",
    "source": "s",
    "rows": [
        {
            "id": "cord",
            "organs": ["SpinalCord"],
            "steps": [{"from_months": 0, "recovery": 0}, {"from_months": 6, "recovery": 0.25}],
            "source": "s",
            "status": "unverified",
        }
    ],
}


def written(folder, change=lambda table: None):
    table = json.loads(json.dumps(A_TABLE))
    change(table)
    path = folder / "mine.json"
    path.write_text(json.dumps(table, indent=1), encoding="utf-8")
    return str(path), table


def test_an_own_table_is_read_from_its_file(tmp_path):
    path, _ = written(tmp_path)
    assert fraction("Cord", 6.0, path) == 0.25
    assert fraction("Cord", 5.9, path) == 0


def row(key, value):
    return lambda table: table["rows"][0].update({key: value})


def step(number, **values):
    return lambda table: table["rows"][0]["steps"][number].update(values)


FAULTS = {
    "more than all": (step(1, recovery=1.5), "line 19.*'recovery'.*0 to 1"),
    "a step backwards": (step(1, from_months=0), "line 18.*'from_months'.*rise"),
    "no start": (step(0, from_months=1), "line 14.*start at 0"),
    "a number in words": (step(0, recovery="none"), "line 15.*'recovery'.*number"),
    "no steps": (row("steps", []), "'steps'"),
    "an organ that is none": (row("organs", ["Cord"]), "line 10.*'Cord' is not among the TG-263"),
    "a status that is none": (row("status", "sure"), "'status'"),
    "an unknown key": (row("recover", 1), "'recover'.*not known"),
    "an organ twice": (lambda t: t["rows"].append({**t["rows"][0], "id": "b"}), "SpinalCord stands in another row"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_table_is_refused_with_its_line(tmp_path, fault):
    change, message = FAULTS[fault]
    path, _ = written(tmp_path, change)
    with pytest.raises(ReirradiationError, match=message):
        load_recovery_table(path)


def test_the_schema_refuses_what_the_reader_refuses(tmp_path):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((PROTOCOL_FOLDER / "recovery.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(A_TABLE)
    # What a schema cannot say: order of steps, names of organs, rows against each other.
    beyond = {"a step backwards", "no start", "an organ that is none", "an organ twice"}
    for name, (change, _) in FAULTS.items():
        assert validator.is_valid(written(tmp_path, change)[1]) == (name in beyond), name
