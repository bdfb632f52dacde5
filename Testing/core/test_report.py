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

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")

# One transparent pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
NASTY = "<script>alert('x')</script>\"'--></style></title>&lt;{{ 7 * 7 }}<img src=x onerror=alert(1)>"


def figures(value: float | None) -> dict:
    return {"Dmean_gy": value, "D0.03cc_gy": value, "V20Gy_percent": value}


def a_structure(name: str = "Spinal_Cord", **changes) -> dict:
    return {
        "name": name,
        "tg263": "SpinalCord",
        "course": "course 2",
        "colour": [0, 128, 255],
        "volume_cc": 23.1,
        "alpha_beta_gy": 2.0,
        "alpha_beta_source": "a source",
        "recovery": 0.0,
        "outside_dose_grid_percent": 0.0,
        "physical": [{"course": "course 1", **figures(31.5)}, {"course": "course 2", **figures(12.5)}],
        "eqd2": [{"course": "course 1", **figures(28.5)}, {"course": "course 2", **figures(17.5)}],
        "composite_eqd2": figures(46.5),
        "composite_eqd2_recovered": figures(46.5),
        **changes,
    }


def a_constraint(verdict: str, structure: str | None = "Spinal_Cord", **changes) -> dict:
    return {
        "protocol": "beddok_2022",
        "id": f"row-{verdict}",
        "organs": "SpinalCord",
        "structure": structure,
        "structure_role": "current",
        "metric": "D0.03cc",
        "quantity": "EQD2",
        "basis": "cumulative_undiscounted",
        "alpha_beta_gy": 2.0,
        "value": 63.418,
        "limit": 57.0,
        "direction": "<=",
        "unit": "Gy",
        "verdict": verdict,
        "range": {"low": 60.25, "high": 66.75, "why": "alpha/beta 1.5 to 3 Gy"},
        "source": "Simone 2020",
        "status": "verified",
        "message": "",
        "near_limit": 54.15,
        "headroom": -6.418,
        "outside_dose_grid_percent": 0.0,
        **changes,
    }


def a_course(label: str, months: float | None) -> dict:
    plan = {
        "label": f"plan of {label}",
        "date": "2021-02-28",
        "fractions": 30,
        "fractions_source": "record",
        "dose_type": "EFFECTIVE",
        "dose_summation_type": "PLAN",
        "dose_max_gy": 64.21,
        "prescription_gy": 60.0,
        "plan_uid": "2.25.111",
        "dose_uid": "2.25.222",
        "modality": "RTIONPLAN",
    }
    date = "2021-03-04"
    return {
        "label": label,
        "date": date,
        "interval_to_reference_months": months,
        "patient_id": "ID-7",
        "plans": [plan],
    }


def a_registration(course: str, method: str) -> dict:
    return {
        "course": course,
        "method": method,
        "matrix_lps": [[1.0, 0.0, 0.0, 12.5], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]],
        "deformable": False,
        "qa": {"similarity": 0.8123, "mean_landmark_error_mm": 2.53},
        "seconds": 7.3,
    }


def a_document(**changes) -> dict:
    return {
        "schema": "reirradiation-review/1",
        "software": {"name": "ReirradiationReview", "version": "0.1.0"},
        "created": "2026-11-24T05:18:49+00:00",
        "patient": {"id": "ID-7", "name": "Doe^Jane", "birth_date": "1950-03-09", "sex": "F"},
        "reference_course": "course 2",
        "courses": [a_course("course 1", 36.2), a_course("course 2", 0.0)],
        "registrations": [a_registration("course 1", "rigid"), a_registration("course 2", "reference")],
        "structures": [a_structure()],
        "constraints": [a_constraint("fail")],
        "hot_spots": [
            {
                "structure": "Spinal_Cord",
                "metric": "Dmax",
                "position_lps_mm": [1.5, -2.5, 3.5],
                "dose_gy": 63.9,
                "shares": [{"course": "course 1", "dose_gy": 40.1}, {"course": "course 2", "dose_gy": None}],
            }
        ],
        "targets": [{"name": "GTV", "method": "contour", "volume_cc": 12.3, "suv_max": 8.4}],
        "assumptions": ["LQ model"],
        "not_covered": ["Liver is not contoured"],
        "limits": ["Registration error is not included."],
        "warnings": [{"code": "ct-missing-slice", "text": "A slice is missing.", "where": "course 1"}],
        "files": {},
        **changes,
    }


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
        "SpinalCord 2.0 a source 0",
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
    for name in ("courses", "registration", "biology", "constraints", "hot-spots", "structures", "targets"):
        assert not re.search(r"\d\.\d", section(page, name).replace("D0.03cc", ""))
    assert not re.search(r"\b(None|nan|NaN|Undefined)\b", page.text)


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
