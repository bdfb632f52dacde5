"""The command line as a user meets it: what it writes, what it refuses, and with which exit status."""

from __future__ import annotations

import pytest
from ReirradiationReviewLib.cli import main


def test_eqd2_converts_one_prescription(capsys):
    assert main(["eqd2", "--dose", "54", "--fractions", "3", "--alpha-beta", "3"]) == 0
    assert "EQD2 226.80 Gy" in capsys.readouterr().out
    assert main(["eqd2", "--dose", "54", "--fractions", "3", "--alpha-beta", "3", "--model", "lql"]) == 0
    assert "EQD2 140.40 Gy" in capsys.readouterr().out


def test_protocols_are_listed_and_printed_with_their_sources(capsys):
    assert main(["protocols"]) == 0
    assert "beddok_2022" in capsys.readouterr().out
    assert main(["protocols", "beddok_2022"]) == 0
    assert "Simone 2020" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["eqd2", "--dose", "-5", "--fractions", "3", "--alpha-beta", "3"],
        ["eqd2", "--dose", "nan", "--fractions", "3", "--alpha-beta", "3"],
        ["eqd2", "--dose", "50", "--fractions", "0", "--alpha-beta", "3"],
        ["run", "--course", "no such folder", "--out", "x"],
        ["run", "--out", "x"],
        ["run", "--course", ".", "--course", ".", "--out", "x", "--search-mm", "-1"],
        ["run", "--course", ".", "--course", ".", "--out", "x", "--setup-error", "1"],
        ["run", "--course", ".", "--course", ".", "--out", "x", "--function", "Lungs"],
        ["run", "--course", ".", "--course", ".", "--out", "x", "--target-registration-error", "nan"],
        ["run", "--course", ".", "--course", ".", "--out", "x", "--registration-sigma-mm", "wide"],
    ],
)
def test_wrong_usage_ends_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


SCHEDULE = ["eqd2", "--dose", "39", "--fractions", "26", "--alpha-beta", "3"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--fractions-per-day", "2", "--interval-hours", "6", "--repair-half-time", "1.5"], "EQD2 35.83 Gy"),
        (["--delivery", "hyperfractionated:per-day=2,interval-hours=6", "--repair-half-time", "4"], "EQD2 39.24 Gy"),
        (["--rbe", "wedenberg", "--letd", "5"], "BED 86.71 Gy, EQD2 52.03 Gy"),
        (["--tumour", "--overall-days", "45", "--kick-off-days", "21", "--dprolif", "0.8"], "EQD2 15.90 Gy"),
    ],
)
def test_eqd2_converts_with_every_model(options, expected, capsys):
    assert main([*SCHEDULE, *options]) == 0
    assert expected in capsys.readouterr().out


def test_eqd2_converts_brachytherapy(capsys):
    implant = ["eqd2", "--dose", "145", "--fractions", "1", "--alpha-beta", "3", "--repair-half-time", "1.5"]
    assert main([*implant, "--delivery", "permanent:half-life-days=59.4"]) == 0
    assert "BED 152.37 Gy" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "lql", "--fractions-per-day", "2", "--interval-hours", "6"], "LQ-L"),
        (["--model", "lql", "--rbe", "mcnamara", "--letd", "5"], "LQ-L"),
        (["--overall-days", "45", "--dprolif", "0.8"], "tumour only"),
        (["--dprolif", "0.8", "--tumour"], "--overall-days"),
        (["--overall-days", "45", "--tumour"], "Dprolif"),
        (["--fractions-per-day", "2"], "interval"),
        (["--interval-hours", "6"], "--fractions-per-day"),
        (["--fractions-per-day", "2", "--delivery", "hdr"], "one of them"),
        (["--delivery", "pdr"], "pulses"),
        (["--rbe", "mcnamara"], "LETd"),
        (["--rbe", "mcnamara", "--letd", "500"], "keV/um"),
    ],
)
def test_models_that_do_not_apply_are_refused(options, message, capsys):
    assert main([*SCHEDULE, *options]) == 1
    assert message in capsys.readouterr().err


def test_recovery_tables_are_listed_and_printed_with_the_protocols(capsys):
    assert main(["protocols"]) == 0
    listed = capsys.readouterr().out
    for name in ("ars_acr_2020", "uk_2021", "umich_paradis", "troost", "hytec_2021_spine", "owen_2020_liver"):
        assert name in listed
    assert main(["protocols", "umich"]) == 0
    assert "Liver: from 0 months 0%, from 6 months 50%" in capsys.readouterr().out


def test_a_file_of_the_users_is_checked_and_printed(tmp_path, capsys):
    from ReirradiationReviewLib.core.resources import PROTOCOL_FOLDER

    text = (PROTOCOL_FOLDER / "troost.json").read_text(encoding="utf-8")
    path = tmp_path / "mine.json"
    path.write_text(text.replace('"limit": 65', '"limit": "65"'), encoding="utf-8")
    line = text[: text.index('"limit": 65')].count("\n") + 1
    assert main(["protocols", str(path)]) == 1
    assert f"mine.json, line {line}, row 'cord_dmax', key 'limit'" in capsys.readouterr().err
    path.write_text(text, encoding="utf-8")
    assert main(["protocols", str(path)]) == 0
    assert "Spinal cord, D0.03cc < 65 Gy" in capsys.readouterr().out
    assert main(["protocols", "troots"]) == 1
    assert "troost" in capsys.readouterr().err


def test_evidence_is_printed_for_a_site_or_for_all(capsys):
    assert main(["evidence"]) == 0
    assert "Sites: spine, brain" in capsys.readouterr().out
    assert main(["evidence", "breast"]) == 0
    shown = capsys.readouterr().out
    assert "Arthur et al., 2020" in shown
    assert "Garg" not in shown
    assert main(["evidence", "knee"]) == 1
    assert "head_and_neck" in capsys.readouterr().err


def test_the_options_of_a_review_become_its_settings():
    from ReirradiationReviewLib.biology_options import review_inputs, review_settings
    from ReirradiationReviewLib.cli import build_parser
    from ReirradiationReviewLib.core.settings import Settings

    options = build_parser().parse_args(
        [
            "run", "--course", ".", "--out", "x", "--alpha-beta", "Cord=2", "--repair-half-time", "Cord=4",
            "--recovery", "Cord=0.25", "--recovery-table", "umich", "--interval-months", "1=9.5",
            "--interval-months", "course 2=3", "--fractions", "A=30", "--delivered", "A=0",
            "--delivery", "A=ldr:hours=60", "--rbe", "B=included", "--same-fraction", "A", "B",
            "--repopulation", "PTV=overall-days=40,kick-off-days=21,dprolif=0.8",
        ]
    )  # fmt: skip
    assert Settings(**review_settings(options)) == Settings(
        alpha_beta_gy={"Cord": 2.0},
        repair_half_time_hours={"Cord": 4.0},
        recovery={"Cord": 0.25},
        recovery_table="umich",
        interval_months={"course 1": 9.5, "course 2": 3.0},
        delivered={"A": 0},
        delivery={"A": "ldr:hours=60"},
        rbe={"B": "included"},
        repopulation={"PTV": "overall-days=40,kick-off-days=21,dprolif=0.8"},
    )
    assert review_inputs(options) == {"fractions": {"A": 30}, "same_fraction": (("A", "B"),), "letd": {}}


def test_the_options_of_images_become_inputs():
    from datetime import datetime
    from pathlib import Path

    from ReirradiationReviewLib.cli import build_parser
    from ReirradiationReviewLib.core.image_inputs import ImageInputs
    from ReirradiationReviewLib.core.pet.facts import EnteredPet
    from ReirradiationReviewLib.image_options import image_inputs, target_requests

    options = build_parser().parse_args(
        [
            "run", "--course", ".", "--out", "x", "--pet", ".", "--pet", "..", "--mr", ".", "--mr-series", "T1",
            "--image-registration", "rigid", "--suv", "lbm-janma", "--pet-weight-kg", "71.5", "--pet-sex", "F",
            "--pet-injection", "2024-01-02T08:30:00", "--gtv", "fixed:3@1,2,3",
        ]
    )  # fmt: skip
    assert image_inputs(options) == ImageInputs(
        pet=(Path(), Path("..")),
        mr=(Path(),),
        mr_series=("T1",),
        suv_type="lbm-janma",
        entered=EnteredPet(weight_kg=71.5, sex="F", injection=datetime(2024, 1, 2, 8, 30)),
        registration=("rigid",),
    )
    (request,) = target_requests(options)
    assert (request.method.id, request.values) == ("fixed", (3.0,))


@pytest.mark.parametrize(
    "wrong",
    [
        ["--pet", "no such folder"],
        ["--pet-weight-kg", "0"],
        ["--pet-injection", "2024-01-02"],
        ["--pet-injection", "2024-01-02T08:30:00+01:00"],
        ["--pet-injection", "half past eight"],
        ["--suv", "bmi"],
    ],
)
def test_wrong_words_about_images_end_with_the_usage(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["run", "--course", ".", "--course", ".", "--out", "x", *wrong])
    assert ended.value.code == 2


def test_a_request_for_a_target_that_makes_no_sense_is_refused_at_once(capsys):
    assert main(["run", "--course", ".", "--course", ".", "--out", "x", "--gtv", "hottest@1,2,3"]) == 1
    assert "there is no method 'hottest'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", [["--margin", "PTV=CTV"], ["--combine", "G=union:A"], ["--margin", "PTV=CTV+5;cut"], ["--gtv", "magic"]]
)
def test_a_target_that_makes_no_sense_is_refused_before_anything_is_read(option, tmp_path, capsys):
    assert main(["run", "--course", ".", "--course", ".", "--out", str(tmp_path), *option]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "usage: " in said[0] or "there are" in said[0]
