"""The report is one safe, self-contained, readable page that says what the data says."""

from __future__ import annotations

import base64
import re
from itertools import pairwise

import numpy as np
import pytest
from html_page import Page
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.report.dvh_plot import StructureCurves
from ReirradiationReviewLib.core.report.html import ReportPicture, render_report, write_report
from report_case import a_constraint, a_course, a_document, a_structure

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")

# One transparent pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
NASTY = "<script>alert('x')</script>\"'--></style></title>&lt;{{ 7 * 7 }}<img src=x onerror=alert(1)>"


def curves(name: str = "Spinal_Cord") -> StructureCurves:
    dose = np.array([0.0, 25.0, 50.0])
    volume = np.array([100.0, 80.0, 0.0])
    return StructureCurves(name, [("course 1", dose / 2, volume), ("composite", dose, volume)], (0, 128, 255))


def page_of(document: dict, curves_=(), pictures=()) -> Page:
    return Page(render_report(document, curves_, pictures))


def section(page: Page, name: str) -> str:
    """Return the visible text of one section."""
    (inner,) = re.findall(rf'<section[^>]*aria-labelledby="{name}">(.*?)</section>', page.html, flags=re.DOTALL)
    return Page(inner).text


@pytest.fixture
def a_picture(tmp_path) -> ReportPicture:
    path = tmp_path / "axial.png"
    path.write_bytes(PNG)
    return ReportPicture(path, "Axial view through the hot spot")


def everything_nasty(value):
    if isinstance(value, dict):
        return {key: item if key in ("schema", "verdict") else everything_nasty(item) for key, item in value.items()}
    if isinstance(value, list):
        return [everything_nasty(item) for item in value]
    return NASTY if isinstance(value, str) else value


def everything_unknown(value):
    if isinstance(value, dict):
        return {key: item if key == "schema" else everything_unknown(item) for key, item in value.items()}
    return [everything_unknown(item) for item in value] if isinstance(value, list) else None


def test_the_page_is_self_contained(a_picture):
    html = render_report(a_document(), [curves()], [a_picture])
    page = Page(html)
    policy = next(meta for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert {"script", "link", "iframe", "object"}.isdisjoint(tag for tag, _ in page.tags)
    for _, attributes in page.tags:
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;base64,"))
        assert not any(name.startswith("on") for name in attributes)
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    assert base64.b64encode(PNG).decode() in html


def test_the_page_is_accessible(a_picture):
    page = page_of(a_document(), [curves(), curves("Heart")], [a_picture])
    assert page.all("html") == [{"lang": "en"}]
    assert all(th.get("scope") in ("col", "row", "rowgroup") for th in page.all("th"))
    assert [image["alt"] for image in page.all("img")] == [a_picture.caption]
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for a in page.all("a")} <= set(ids)


def test_identity_status_and_the_warning_sentence_are_in_sight():
    page = page_of(a_document())
    running = page.text[: page.text.index("1. ") if "1. " in page.text else 400]
    assert "Doe, Jane ID ID-7 Born 1950-03-09 Sex F" in running
    assert "DRAFT, not signed" in running
    assert "ReirradiationReview 0.1.0" in page.text
    assert "2026-11-24 05:18 UTC" in page.text
    assert (
        "“Decision-making on reRT based solely on dosimetric criteria is not an option” (Beddok et al. 2022"
        in page.text
    )
    assert "not a medical device" in page.text
    assert "Medical physicist Name Signature Date Radiation oncologist Name Signature Date" in page.text


def test_the_summary_counts_verdicts_and_lists_the_urgent_rows_first():
    rows = [a_constraint(verdict, f"organ {verdict}") for verdict in ("pass", "note", "near", "unknown", "fail")]
    rows += [a_constraint("unknown", None), a_constraint("pass", "organ two", outside_dose_grid_percent=0.02)]
    page = page_of(a_document(constraints=rows))
    summary = section(page, "summary")
    assert "1 ✗ fail 1 ▲ near limit 1 ? unknown 1 ● note only 2 ✓ pass" in summary
    assert "6 constraints for contoured structures; 1 more could not be looked at" in summary
    assert "1 of 6 rest on a structure that reaches beyond a dose grid." in summary
    urgent = re.findall(r"organ (fail|near|unknown|note|pass|two)", summary)
    assert urgent == ["fail", "near", "unknown"]


def test_a_constraint_row_shows_everything_it_rests_on():
    row = a_constraint("fail", status="disputed", message="Point maximum 64.0 Gy.", outside_dose_grid_percent=3.2)
    text = section(page_of(a_document(constraints=[row])), "constraints")
    for part in (
        "✗ fail",
        "Spinal_Cord (current)",
        "D0.03cc EQD2",
        "63.42 ≤ 57 Gy −6.42",
        "60.25 to 66.75",
        "Range: alpha/beta 1.5 to 3 Gy",
        "Point maximum 64.0 Gy.",
        "cumulative, no recovery",
        "EQD2 with alpha/beta 2.0 Gy",
        "Near from 54.15 Gy",
        "Outside a dose grid: 3.2 %",
        "Source: Simone 2020 source disputed",
    ):
        assert part in text


@pytest.mark.parametrize(("status", "flag"), [("unverified", "source unverified"), (None, "source unknown")])
def test_sources_that_are_not_verified_are_flagged(status, flag):
    assert flag in " ".join(page_of(a_document(constraints=[a_constraint("pass", status=status)])).text.split())


def test_courses_registration_biology_and_doses_are_shown():
    text = page_of(a_document()).text
    for part in (
        "36.2 months before the reference course",
        "60.0 30 from treatment records EFFECTIVE (RBE included) PLAN 64.2",
        "Plan UID 2.25.111 Dose UID 2.25.222",
        "rigid, linear",
        "mean landmark error 2.53 mm",
        "12.50000",
        "not judged: look at the fusion",
        "SpinalCord 2.0 a source 5.0 0",
        "36.2 months before the reference course (from the last treatment)",
        "Spinal_Cord α/β 2.0 Gy 131.5 88.5 36.2 2.0 low yes",
        "2 points: low risk. Source: Nieder 2006 points unverified",
        "Chao et al., 2017 Lung 57 PT 19 months OS: 1 yr. 59%; PFS: 1 yr. 58% 24 ≥ grade 3 (5 deaths)",
        "Chao 2017. The text says otherwise.",
        "Frequent. McDonald 2012; section “OAR organized in serial FSU”",
        "course 1, dose as planned 31.5 31.5 31.5",
        "course 2, EQD2 17.5 17.5 17.5",
        "Composite EQD2 46.5 46.5 46.5",
        "course 1 40.1, course 2 unknown",
        "1.5, −2.5, 3.5",
        "A slice is missing.",
        "Liver is not contoured",
        "Registration error is not included.",
    ):
        assert part in text
    assert "course 2 to course 2" not in text


def test_a_complete_review_has_no_unknown_but_what_is_unknown():
    document = a_document(hot_spots=[])
    assert page_of(document, [curves()]).text.count("unknown") == 1  # the tile that counts unknown verdicts


def test_unknown_everywhere_is_the_word_and_never_a_number(a_picture):
    document = everything_unknown(a_document(constraints=[a_constraint("unknown"), a_constraint("fail")]))
    document["constraints"][0]["verdict"] = "fail"
    document["constraints"][0]["structure"] = "Cord"
    page = page_of(document, [StructureCurves("Cord", [("composite", np.array([]), np.array([]))])], [a_picture])
    values = section(page, "constraints")
    assert "✗ fail Cord unknown unknown unknown unknown unknown" in values
    sections = ("courses", "registration", "biology", "constraints", "cord-score", "hot-spots", "structures", "targets")
    for name in sections:
        assert not re.search(r"\d\.\d", section(page, name).replace("D0.03cc", ""))
    assert not re.search(r"\b(None|nan|NaN|Undefined)\b", page.text)


def test_what_was_not_given_as_planned_is_in_the_table_of_plans():
    course = a_course("course 1", 36.2)
    course["plans"][0] |= {"fractions": 17, "same_fraction_plans": ["a", "b"], "delivery": "LDR brachytherapy, 60 h"}
    text = page_of(a_document(courses=[course])).text
    assert "17 of 30 from treatment records" in text
    assert "LDR brachytherapy, 60 h" in text
    assert "given in the same fractions: a, b" in text


def test_recovery_and_values_that_were_not_read_in_their_source_are_flagged():
    forgiven = {"course": "course 1", "fraction": 0.25, "source": "table umich", "status": "unverified"}
    structure = a_structure(alpha_beta_status="user", recovery=0.25, recovery_by_course=[forgiven])
    text = section(page_of(a_document(structures=[structure])), "biology")
    assert "a source user" in text
    assert "Recovery 25 % of course 1: table umich unverified" in text


def test_a_ratio_has_no_unit_and_a_row_for_another_case_is_flagged():
    ratio = a_constraint(
        "note", basis="current_only", relative_to="cumulative_undiscounted", unit="ratio", limit=0.5, value=0.47,
        conditions_met=False,
    )  # fmt: skip
    text = section(page_of(a_document(constraints=[ratio])), "constraints")
    assert "0.47 ≤ 0.5 −6.42" in text
    assert "not made for this case Basis: new plan only, as a part of: cumulative, no recovery" in text


def test_absent_keys_are_unknown_too():
    page = page_of({"schema": "reirradiation-review/1"})
    assert "No constraint was evaluated." in page.text
    assert "This report therefore judges nothing." in page.text
    page = page_of(a_document(structures=[{"name": "Cord"}], constraints=[{"structure": "Cord"}], courses=[{}]))
    assert "? unknown" in page.text
    assert not re.search(r"\b(None|nan|Undefined)\b", page.text)


def test_no_constraints_means_no_comfort():
    text = page_of(a_document(constraints=[])).text
    assert "No constraint was evaluated." in text
    assert "✓" not in text
    only_missing = page_of(a_document(constraints=[a_constraint("unknown", None)])).text
    assert "1 constraint could not be looked at because the organ is not contoured." in only_missing


def test_nasty_text_stays_text(a_picture):
    picture = ReportPicture(a_picture.path, NASTY)
    html = render_report(everything_nasty(a_document()), [curves(NASTY)], [picture])
    page = Page(html)
    assert "<script" not in html
    assert "onerror=alert(1)>" not in html
    assert [image["alt"] for image in page.all("img")] == [NASTY]
    assert len(page.all("style")) == 1
    assert NASTY in "".join(page.texts)  # shown as it is, not evaluated and not cut
    assert " 49" not in page.text


def test_colours_cannot_smuggle_styles():
    page = page_of(a_document(structures=[a_structure(colour=["red; background: url(x)", 0, 0])]))
    styles = {span["style"] for span in page.all("span") if "style" in span}
    assert styles == {"background: rgb(128, 128, 128)"}


def test_many_long_names_are_all_there():
    names = [f"Structure_{n}_" + "with_a_very_long_name_" * 10 for n in range(25)]
    document = a_document(structures=[a_structure(name) for name in names])
    page = page_of(document, [curves(name) for name in names])
    assert all(page.text.count(name) >= 3 for name in names)
    assert len(page.all("figure")) == 25


def test_the_report_is_written_as_utf8_and_is_the_same_each_time(tmp_path, a_picture):
    for name in ("one.html", "two.html"):
        write_report(tmp_path / name, a_document(), [curves()], [a_picture])
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
    assert "α/β" in (tmp_path / "one.html").read_text(encoding="utf-8")


def test_another_schema_is_refused():
    with pytest.raises(ReirradiationError, match=r"'reirradiation-review/2'.*make the review again"):
        render_report(a_document(schema="reirradiation-review/2"), [], [])


def test_pictures_that_cannot_be_shown_are_named(tmp_path):
    with pytest.raises(ReirradiationError, match=r"absent\.png cannot be read"):
        render_report(a_document(), [], [ReportPicture(tmp_path / "absent.png", "")])
    with pytest.raises(ReirradiationError, match=r"scene\.mrb is neither PNG nor JPEG"):
        render_report(a_document(), [], [ReportPicture(tmp_path / "scene.mrb", "")])


def test_a_report_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(ReirradiationError, match=r"report\.html cannot be written"):
        write_report(tmp_path / "absent" / "report.html", a_document(), [], [])


def test_the_legend_says_which_curve_is_unknown():
    nothing = np.array([])
    partly = StructureCurves("Cord", [("course 1", nothing, nothing), ("composite", *curves().curves[1][1:])])
    assert "course 1 unknown composite" in page_of(a_document(), [partly]).text
