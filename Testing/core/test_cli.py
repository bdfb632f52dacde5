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
    ],
)
def test_wrong_usage_ends_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err
