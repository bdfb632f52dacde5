"""Table 1 of the paper, retyped here from the print, and the statements of its text."""

from __future__ import annotations

import pytest
from made_up_review import a_course, a_cylinder, a_grid, a_review
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.evidence import load_evidence
from ReirradiationReviewLib.core.results.evidence import evidence_entry

# Name, organ, patients, technique, median time, outcomes, late toxicity.
TABLE_1 = """
Garg et al., 2011 | Bone (Spine) | 59 | SBRT | 12.8 – 19.8 months | LRC: 1 yr, 76% OS: 1 yr, 76% | 2 ≥ grade 3 (lumbar plexopathy)
Møller et al., 2017 | Brain (GBM) | 31 | SBRT | > 6 months | Median PFS: 2.8 m. Median OS: 7 m. | 3 ≥ grade 3 (radionecrosis)
Shi et al., 2018 | Brain (GBM) | 88 (24 reRT alone) | Various (IMRT, SBRT, BT) | nr | Median OS: 8.2 m. | nr
Kauer-Dorner et al., 2012 | Breast | 39 | BT | ~ 11 years | LRC: 5 yr. 93% OS: 5 y. 87% | 20 grade 1–2, 4 ≥ grade 3 (fibrosis and pain)
Arthur et al., 2020 | Breast | 58 | 3D-CRT | 13.4 years | LRC: 5 yr, 95% OS: 5 yr. 95% | 4 ≥ grade 3 (fibrosis, breast atrophy)
Fernandes et al., 2016 | Gut (Esophagus) | 14 | PT | 32 months | OS: 1 y. 70.7% | 2 ≥ grade 3 (esophageal ulceration)
Chen et al., 2011 | Head and Neck | 21 | IMRT | 14 months | LRC: 1 yr. 72%, 2 yr. 65% OS: 1 yr. 65%, 2 yr. 40% | 3, grade nr (trismus and brachial plexopathy)
Vargo et al., 2015 | Head and Neck | 50 | SBRT (with cetuximab) | 18 months | LRC: 1 yr. 37% OS: 1 yr. 40% | 5 ≥ grade 3 (dysphagia aerodigestive fistulas)
Chao et al., 2017 | Lung | 57 | PT | 19 months | OS: 1 yr. 59% PFS: 1 yr. 58% | 24 ≥ grade 3 (5 deaths)
Crook et al., 2019 | Pelvis (prostate) | 92 | BT | 85 months | nr | 6 ≥ grade 3 (rectal bleed, retention, frequency)
"""  # noqa: E501 - a row of the print is a line
TYPES = """
Single-institution, prospective, phase I/II | Single-institution, prospective, phase I (NCT02025231)
Multi-institution, prospective, phase III (RTOG 0525) | Single-institution, prospective, phase I
Multi-institution, prospective, phase II (NRG oncology RTOG 1014) | Single-institution, prospective, phase I
Single-institution, prospective, phase I | Single-institution, prospective, phase I (NCT 01104922)
Multi-institution, prospective, phase II (NCT01126476)
Multi-institution, prospective, phase II (NRG Oncology/RTOG-0526)
"""


def test_table_1_is_complete_and_as_printed():
    printed = [tuple(cell.strip() for cell in line.split("|")) for line in TABLE_1.strip().splitlines()]
    found = [
        (
            study.name,
            study.organ,
            study.patients_printed,
            study.technique,
            study.interval,
            " ".join(study.outcomes),
            study.late_toxicity,
        )
        for study in load_evidence().studies
    ]
    assert found == printed
    assert [study.patients for study in load_evidence().studies] == [59, 31, 88, 39, 58, 14, 21, 50, 57, 92]
    types = [cell.strip() for line in TYPES.strip().splitlines() for cell in line.split("|")]
    assert [study.type for study in load_evidence().studies] == types


def test_where_the_paper_contradicts_itself_is_said():
    notes = {study.id: study.note for study in load_evidence().studies if study.note}
    assert set(notes) == {"shi_2018", "vargo_2015", "chao_2017"}
    assert "late toxicity developed in 7 (12 %)" in notes["chao_2017"]


# What the text says, in figures: each has to be in the statement of that name.
FIGURES = {
    "rectal_late": ("13 of 50", "26 %"),
    "lung_severe": ("21 %", "De Ruysscher 2014"),
    "nasopharynx_deaths": ("20 of the 101", "Liu 2021"),
    "head_neck_comorbidity": ("45 (43.7 %)", "49 (47.5 %)"),
    "head_neck_imrt": ("201 patients", "32 % at 2 years", "48 % at 5 years"),
    "rectal_imrt": ("101 patients", "34 % at 3 years"),
    "lung_protons": ("24 (42 %)", "22 (39 %)", "7 (12 %)"),
    "carotid_blowout": ("41 of 1554", "2.6 %", "76 %", "McDonald 2012"),
    "vessels_120": ("120 Gy", "Evans 2013; Dionisi 2019; Alterio 2020"),
    "vessels_interval": ("30 months, 1 to 185",),
    "plexus_95": ("67 % above and 86 % below", "95.0 Gy", "66 %", "87 %"),
    "esophagus_fistula": ("85 to 90 Gy", "Meijneke 2013"),
    "liver_800": ("49 patients", "4.1 %", "800 cc", "15 Gy", "9 months"),
    "liver_half": ("50 %", "Owen 2020"),
    "ars_acr": ("100-110 Gy", "V40 < 50 %", "120 Gy", "57 Gy", "85 Gy"),
    "brain_schedules": ("7.7 to 20 Gy", "18 to 37.5 Gy in 3 to 15", "Shanker 2019"),
    "head_neck_dose": ("60 Gy", "66 Gy"),
}


@pytest.mark.parametrize("statement", FIGURES)
def test_statements_hold_the_figures_of_the_text(statement):
    said = next(said for said in load_evidence().statements if said.id == statement)
    for figure in FIGURES[statement]:
        assert figure in f"{said.text} {said.cites}"


def test_every_statement_has_its_place_and_an_id_of_its_own():
    statements = load_evidence().statements
    assert len({said.id for said in statements}) == len(statements)
    headings = {
        "Patient selection: Risk/benefit balance", "Intensity-modulated radiation therapy (IMRT)", "Proton therapy",
        "OAR organized in serial FSU", "OAR organized in parallel FSU", "Dose and fractionation",
        "Target volume definition", "Conclusion",
    }  # fmt: skip
    assert {said.place for said in statements} == headings


def test_a_site_has_its_studies_and_statements_and_what_holds_everywhere():
    found = load_evidence().for_site("head_and_neck")
    assert [study.id for study in found.studies] == ["chen_2011", "vargo_2015"]
    ids = {said.id for said in found.statements}
    assert {"carotid_blowout", "nasopharynx_deaths", "not_dose_alone"} <= ids
    assert "liver_half" not in ids
    with pytest.raises(ReirradiationError, match="head_and_neck"):
        load_evidence().for_site("neck")


def test_the_organs_under_review_decide_what_is_shown():
    structures = (a_cylinder("Lung_L", 1), a_cylinder("Cord", 2), a_cylinder("GTV", 3, kind="GTV"))
    courses = [
        a_course("course 1", "2020-01-01", a_grid(10.0), 5),
        a_course("course 2", "2022-01-01", a_grid(10.0), 5, structures),
    ]
    shown = evidence_entry(a_review(courses))
    assert shown["sites"] == ["Thorax"]
    assert [study["id"] for study in shown["studies"]] == ["fernandes_2016", "chao_2017"]
    ids = {said["id"] for said in shown["statements"]}
    assert {"lung_v20", "cord_recovery", "not_dose_alone"} <= ids
    assert not {"liver_half", "carotid_blowout", "plexus_95"} & ids


def test_it_can_be_said_in_words():
    text = "\n".join(load_evidence().lines())
    assert "Garg et al., 2011: Bone (Spine), 59 patients, SBRT" in text
    assert "Note: The table lists 24 under late toxicity." in text
    assert "PT: proton therapy" in text
