"""The constraint sets that ship, row by row against their sources, and the schema that describes them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ReirradiationReviewLib.core.constraints import Circumstances, RowDose, Span, evaluate
from ReirradiationReviewLib.core.organs.dvh import dose_volume
from ReirradiationReviewLib.core.protocols import SCHEMA, list_protocols, load_protocol
from ReirradiationReviewLib.core.resources import PROTOCOL_FOLDER

# PMC8022147, Table 4: id, organ that has to be among the row's, alpha/beta, metric, sense, limit, where near begins.
# "No consensus" is a disputed row; a single limit is near within 5 %.
TABLE_4 = {
    "uk_2021": [
        ("cord_dmax", "SpinalCord", 2, "D0.03cc", "<=", 60, 57),
        ("esophagus_dmax", "Esophagus", 3, "D0.03cc", "<=", 100, 75),
        ("brachial_plexus_dmax", "BrachialPlexs", 2, "D0.03cc", "<=", 95, 80),
        ("great_vessels_dmax", "GreatVes", 3, "D0.03cc", "<=", 115, 110),
        ("pbt_dmax", "Bronchus", 3, "D0.03cc", "<", 105, 80),
    ],
    "paradis_2019_thorax": [
        ("cord_d01cc", "SpinalCord", 2, "D0.1cc", "<", 56.25, 53.4375),
        ("esophagus_d01cc", "Esophagus", 3, "D0.1cc", "<", 90.6, 86.07),
        ("brachial_plexus_d01cc", "BrachialPlex_L", 2, "D0.1cc", "<", 85, 80.75),
        ("great_vessels_d01cc", "A_Aorta", 3, "D0.1cc", "<", 123, 116.85),
        ("pbt_d01cc", "Bronchus_Main", 3, "D0.1cc", "<", 90.6, 86.07),
        ("skin_chestwall_d01cc", "Chestwall", 2.5, "D0.1cc", "<", 105, 99.75),
        ("heart_d01cc", "Heart", 2.5, "D0.1cc", "<", 85, 80.75),
    ],
    "troost": [
        ("cord_dmax", "SpinalCord", 2, "D0.03cc", "<", 65, 61.75),
        ("esophagus_dmax", "Esophagus", 3, "D0.03cc", "<", 100, 95),
        ("brachial_plexus_dmax", "BrachialPlex_R", 2, "D0.03cc", "<", 85, 80.75),
        ("great_vessels_dmax", "GreatVes", 3, "D0.03cc", "<", 110, 104.5),
        ("pbt_dmax", "Bronchus", 3, "D0.03cc", "<", 110, 104.5),
        ("heart_dmean", "Heart", 2.5, "Dmean", "<", 70, 66.5),
        ("lung_dmean", "Lungs", 3, "Dmean", "<", 22, 20.9),
    ],
    "ars_acr_2020": [
        ("cord_dmax", "SpinalCord", None, "D0.03cc", "<", 57, 54.15),
        ("esophagus_v60", "Esophagus", None, "V60Gy%", "<", 40, 38),
        ("esophagus_dmax", "Esophagus", None, "D0.03cc", "<", 110, 100),
        ("brachial_plexus_dmax", "BrachialPlexs", None, "D0.03cc", "<", 85, 80.75),
        ("great_vessels_dmax", "A_Aorta", None, "D0.03cc", "<", 120, 114),
        ("airways_dmax", "Trachea", None, "D0.03cc", "<", 110, 104.5),
        ("heart_v40", "Heart", None, "V40Gy%", "<", 50, 47.5),
        ("lung_v20", "Lungs", None, "V20Gy%", "<", 40, 38),
    ],
}
# University of Michigan: limits of a first course, EQD2, Gy.
UMICH = {
    "bladder": 85, "brachial_plexus": 70, "brainstem": 64, "bronchus": 70, "cauda_equina": 60, "cochlea": 45,
    "large_bowel": 70, "esophagus": 70, "great_vessels": 100, "heart": 70, "optic_chiasm": 54, "optic_nerve": 54,
    "rectum": 80, "retina": 50, "sacral_plexus": 70, "cord": 50, "trachea": 70, "small_bowel": 54, "stomach": 54,
    "duodenum": 54,
}  # fmt: skip
UMICH_SPARED = {"kidneys": ("CV23Gycc", 200), "lungs": ("CV16Gycc", 1000), "liver": ("CV32Gycc", 700)}


def rows_of(protocol_id):
    return {row.id: row for row in load_protocol(protocol_id).rows}


@pytest.mark.parametrize("protocol_id", TABLE_4)
def test_the_sets_for_the_thorax_hold_their_column_of_the_published_table_and_nothing_else(protocol_id):
    rows = rows_of(protocol_id)
    assert list(rows) == [expected[0] for expected in TABLE_4[protocol_id]]
    for row_id, organ, alpha_beta, metric, direction, limit, near in TABLE_4[protocol_id]:
        row = rows[row_id]
        assert organ in row.organs
        assert (row.alpha_beta_gy, row.metric, row.direction) == (alpha_beta, metric, direction)
        assert (row.limit, row.near_limit) == (limit, pytest.approx(near))
        assert (row.quantity, row.basis) == ("EQD2", "cumulative_undiscounted")
        assert row.status == ("disputed" if "no consensus" in row.printed else "verified")


def test_what_was_derived_for_one_interval_is_bound_to_it():
    assert {row.interval_months for row in load_protocol("paradis_2019_thorax").rows} == {Span(6, 12)}
    assert {row.interval_months for row in load_protocol("troost").rows} == {Span(9, None)}


def test_the_michigan_set_holds_first_course_limits_for_the_discounted_sum():
    rows = rows_of("umich_paradis")
    assert set(rows) == set(UMICH) | set(UMICH_SPARED)
    for row_id, limit in UMICH.items():
        assert (rows[row_id].metric, rows[row_id].direction, rows[row_id].limit) == ("D0.1cc", "<=", limit)
    for row_id, (metric, limit) in UMICH_SPARED.items():
        assert (rows[row_id].metric, rows[row_id].direction, rows[row_id].limit) == (metric, ">=", limit)
    assert {row.basis for row in rows.values()} == {"discounted_vs_first"}
    assert {row.alpha_beta_gy for row in rows.values()} == {2.5}
    assert {row.status for row in rows.values()} == {"unverified"}


def test_the_four_spine_criteria_are_about_the_thecal_sac():
    rows = rows_of("hytec_2021_spine")
    assert {row.organs for row in rows.values()} == {("ThecalSac",)}
    found = {i: (r.metric, r.basis, r.relative_to, r.direction, r.limit, r.unit, r.quantity) for i, r in rows.items()}
    assert found == {
        "cumulative_dmax": ("Dmax", "cumulative_undiscounted", None, "<=", 70, "Gy", "EQD2"),
        "sbrt_dmax": ("Dmax", "current_only", None, "<=", 25, "Gy", "EQD2"),
        "sbrt_share": ("Dmax", "current_only", "cumulative_undiscounted", "<=", 0.5, "ratio", "EQD2"),
        "interval": ("interval", "current_only", None, ">=", 5, "months", "time"),
    }
    assert {row.alpha_beta_gy for row in rows.values() if row.quantity == "EQD2"} == {2}


def test_liver_rules_ask_for_spared_volume_and_are_not_claimed_as_read():
    rows = rows_of("liver_critical_volume")
    spared = [row for row in rows.values() if row.metric.startswith("CV")]
    assert {(row.direction, row.unit) for row in spared} == {(">=", "cc")}
    assert {row.status for row in rows.values()} == {"unverified"}
    assert rows["cv19_tg101_3fx"].new_course_fractions == Span(3, 3)
    assert rows["cv19_owen"].basis == rows["mld_owen"].basis == "discounted_vs_first"


SPARED_ROWS = [
    (protocol.id, row.id)
    for protocol in list_protocols()
    for row in protocol.rows
    if row.metric.startswith("CV") and row.organs[0] in ("Liver", "Kidneys", "Lungs-GTV")
]


@pytest.mark.parametrize(("protocol_id", "row_id"), SPARED_ROWS)
def test_every_critical_volume_passes_an_organ_that_is_spared_and_fails_one_that_is_destroyed(protocol_id, row_id):
    row = rows_of(protocol_id)[row_id]
    fractions = row.new_course_fractions.low if row.new_course_fractions else 5
    case = Circumstances(interval_months=12.0, new_course_fractions=int(fractions))

    def verdict(dose_gy, volume_cc):
        samples = dose_volume(np.full(500, dose_gy), np.full(500, volume_cc / 500))
        dose = RowDose(row.quantity, row.basis, row.alpha_beta_gy or 3.0, samples)
        return evaluate(protocol_id, row, structure="it", dose=dose, circumstances=case).verdict

    assert verdict(1.0, 1500.0) == "pass"
    assert verdict(100.0, 1500.0) == "fail"
    # A small organ that is wholly irradiated: read as "V < limit" it would pass.
    assert verdict(100.0, row.limit / 2) == "fail"


@pytest.mark.parametrize("protocol", list_protocols(), ids=lambda protocol: protocol.id)
def test_every_row_says_where_it_is_from_and_what_it_is_about(protocol):
    for row in protocol.rows:
        assert row.source
        assert row.evidence
        assert row.printed
        # What discounts is held against a limit of a first course, and no physical dose is discounted.
        assert row.basis != "discounted_vs_first" or row.quantity in ("EQD2", "BED")
    text = "\n".join(protocol.lines())
    assert all(row.source in text and row.printed in text for row in protocol.rows)


def test_no_set_mixes_discounted_rows_with_cumulative_ones_but_the_livers_own():
    mixed = {
        protocol.id
        for protocol in list_protocols()
        if {"discounted_vs_first", "cumulative_undiscounted"} <= {row.basis for row in protocol.rows}
    }
    assert mixed <= {"liver_critical_volume"}


def read(name):
    return json.loads((PROTOCOL_FOLDER / name).read_text(encoding="utf-8"))


DESCRIBED = [path.name for path in sorted(PROTOCOL_FOLDER.glob("*.json")) if "./" in read(path.name).get("$schema", "")]


def test_every_constraint_set_and_recovery_table_names_its_schema():
    names = {path.name for path in PROTOCOL_FOLDER.glob("*.json")}
    of_sets = {name for name in names if read(name).get("schema") == SCHEMA}
    assert len(of_sets) == len(list_protocols())
    assert of_sets | {name for name in names if name.startswith("recovery_")} == set(DESCRIBED)


@pytest.mark.parametrize("name", DESCRIBED)
def test_every_shipped_file_fits_the_schema_it_names(name):
    jsonschema = pytest.importorskip("jsonschema")
    document = read(name)
    schema = read(document["$schema"].removeprefix("./"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(document)] == []
