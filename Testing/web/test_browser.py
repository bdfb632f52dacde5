"""The web review as its user meets it: a real browser on the demo case."""

from __future__ import annotations

import base64
import re
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ReirradiationReviewLib.core.hot_spots import hot_spot
from ReirradiationReviewLib.core.review import Review
from ReirradiationReviewLib.run import RunInputs, make_review
from ReirradiationReviewLib.web import rows
from review_page import settle, show, values

pytestmark = pytest.mark.xdist_group("browser")

ALPHA_BETA = 'input[type="range"][aria-label="Alpha/beta of the composite picture"]'


@pytest.fixture(scope="module")
def by_command_line(demo_case: Any) -> Review:
    """Return the review that the command line makes of the same folders."""
    return make_review(RunInputs((demo_case.course1, demo_case.course2)))[0]


def expected(review: Review, **changes: Any) -> dict[str, str]:
    """Return the values that the table has to show under changed settings."""
    results = review.with_settings(replace(review.settings, **changes)).constraints()
    shown = [rows.constraint_row(result) for result in results if result.structure is not None]
    return {row["key"]: row["value"] for row in shown}


def wait_for_values(page: Any, wanted: dict[str, str]) -> None:
    """Wait until the table shows these values, and fail with the difference where it does not."""
    deadline = time.monotonic() + 15
    while values(page) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    assert values(page) == wanted


def picture(page: Any, tag: str) -> np.ndarray:
    """Return what a view shows, uint8, shape ``(height, width, 3)``."""
    pixels = page.evaluate(
        """(tag) => {
            const image = document.querySelector(`.view-${tag} img`);
            const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0);
            const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
            let text = "";
            for (let start = 0; start < data.length; start += 32768)
                text += String.fromCharCode(...data.subarray(start, start + 32768));
            return [canvas.height, canvas.width, btoa(text)];
        }""",
        tag,
    )
    height, width, encoded = pixels
    return np.frombuffer(base64.b64decode(encoded), np.uint8).reshape(height, width, 4)[..., :3].astype(int)


def wait_for_change(page: Any, tag: str, before: np.ndarray) -> np.ndarray:
    """Wait until a view shows something else, and return it."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        now = picture(page, tag)
        if now.shape != before.shape or np.abs(now - before).max() > 60:
            return now
        time.sleep(0.05)
    raise AssertionError(f"view {tag} did not change")


def settled_picture(page: Any, tag: str) -> np.ndarray:
    """Return what a view shows once it stays the same: the first frames may be of less than the whole review."""
    deadline, now = time.monotonic() + 15, picture(page, tag)
    while time.monotonic() < deadline:
        time.sleep(0.5)
        before, now = now, picture(page, tag)
        if now.shape == before.shape and now.std() > 10 and np.abs(now - before).max() <= 60:
            return now
    raise AssertionError(f"view {tag} does not settle")


def test_the_table_shows_the_command_lines_values_and_follows_every_control(page, by_command_line):
    wait_for_values(page, expected(by_command_line))
    organ = next(
        o for o in by_command_line.organs if not o.match.is_target and o.name in str(expected(by_command_line))
    )

    page.click(".organs-biology summary")
    slider = page.locator(f'input[type="range"][aria-label="Alpha/beta of {organ.name}"]')
    slider.fill(str(organ.alpha_beta_gy + 2))
    wait_for_values(page, expected(by_command_line, alpha_beta_gy={organ.name: organ.alpha_beta_gy + 2}))

    page.locator(f'input[type="range"][aria-label="Recovery of {organ.name}"]').fill("50")
    both = {"alpha_beta_gy": {organ.name: organ.alpha_beta_gy + 2}, "recovery": {organ.name: 0.5}}
    wait_for_values(page, expected(by_command_line, **both))

    page.get_by_text("Back to the tables' values").click()
    wait_for_values(page, expected(by_command_line))

    page.get_by_label("Include course 1 in the sum").uncheck()
    wait_for_values(page, expected(by_command_line, left_out=frozenset({0})))
    page.get_by_label("Include course 1 in the sum").check()
    wait_for_values(page, expected(by_command_line))


def test_the_last_course_cannot_be_left_out_and_the_page_says_why(page, by_command_line):
    page.get_by_label("Include course 1 in the sum").uncheck()
    wait_for_values(page, expected(by_command_line, left_out=frozenset({0})))
    page.get_by_label("Include course 2 in the sum").click()
    page.wait_for_selector(".message")
    assert "keep at least one" in page.inner_text(".message")
    page.click(".message button")
    assert page.get_by_label("Include course 2 in the sum").is_checked()
    page.get_by_label("Include course 1 in the sum").check()
    wait_for_values(page, expected(by_command_line))


def test_fractions_follow_and_nonsense_is_refused(page, by_command_line):
    plan = by_command_line.courses[0].plans[0]
    field = page.get_by_label(f"Fractions of {plan.label}")
    field.fill("10")
    field.press("Enter")
    changed = by_command_line.with_fractions({plan.label: 10})
    wait_for_values(page, expected(changed))
    field.fill("0")
    field.press("Enter")
    page.wait_for_selector(".message")
    assert "whole number" in page.inner_text(".message")
    page.click(".message button")
    field.fill(str(plan.fractions))
    field.press("Enter")
    wait_for_values(page, expected(by_command_line))


def test_patient_and_research_use_stand_on_the_page_in_every_layout(page, by_command_line):
    patient = by_command_line.reference.patient
    for layout in ("axial", "courses", "three_d", "four"):
        page.select_option('select:near(:text("Layout"))', layout)
        page.wait_for_selector(f".layout-{layout}")
        header = page.inner_text("header")
        assert patient.name in header
        assert patient.id in header
        assert "Research use only" in header


def test_views_follow_wash_wheel_window_and_the_composite(page):
    start = settled_picture(page, "Red")
    coloured = (start.max(axis=2) - start.min(axis=2) > 60).mean()
    page.get_by_label("Overlay").select_option("")
    wait_for_change(page, "Red", start)
    plain = settled_picture(page, "Red")
    assert (plain.max(axis=2) - plain.min(axis=2) > 60).mean() < coloured
    page.get_by_label("Isodoses").uncheck()
    without_lines = wait_for_change(page, "Red", plain)
    page.keyboard.press("f")
    page.keyboard.press("i")
    page.wait_for_function("() => document.querySelector('.legend li:nth-child(2)')")
    with_both = wait_for_change(page, "Red", without_lines)

    page.locator(ALPHA_BETA).fill("15")
    settle(page)
    wait_for_change(page, "Red", with_both)
    page.locator(ALPHA_BETA).fill("3")
    settle(page)

    place = page.inner_text(".view-Red .view-content")
    box = page.locator(".view-Red").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.wheel(0, 120)
    page.wait_for_function(
        "(before) => document.querySelector('.view-Red .view-content').textContent !== before", arg=place
    )
    page.wait_for_function("() => document.querySelector('.probe').textContent.includes('EQD2')")


def test_a_constraint_brings_the_views_to_the_hottest_point_with_each_courses_share(page, by_command_line):
    row = page.locator(".constraints tbody tr").first
    key = row.get_attribute("data-key")
    row.locator("button").click()
    page.wait_for_selector(".focus")
    organ = by_command_line.organ(key.split("/")[2])
    spot = hot_spot(by_command_line, organ)
    shares = [float(re.sub(r"[^\d.]", "", text)) for text in page.locator(".focus td.num").all_inner_texts()]
    assert sum(shares) == pytest.approx(spot.mean_gy, abs=0.2)
    position = page.inner_text(".view-Red .view-content")
    assert float(re.sub(r"[^\d.]", "", position)) == pytest.approx(abs(spot.centre_lps[2]), abs=1.5)
    page.locator(".focus button").click()


def test_the_page_asks_no_other_machine_for_anything(new_page, served):
    page, asked = new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    show(page, served.address)
    own = (served.origin, served.origin.replace("http", "ws"), "blob:", "data:")
    assert [url for url in asked if not url.startswith(own)] == []
    assert served.key not in page.url


def test_100_slider_steps_end_on_the_last_and_are_not_all_computed(page, by_command_line):
    updates = page.evaluate_handle(
        "() => { const seen = { count: 0 }; new MutationObserver(() => { seen.count += 1; })"
        ".observe(document.querySelector('.legend-title'), { characterData: true, subtree: true }); return seen; }"
    )
    slider = page.locator(ALPHA_BETA)
    slider.focus()
    page.evaluate(
        """(selector) => { const slider = document.querySelector(selector);
            for (let step = 0; step < 100; step += 1) {
                slider.value = 1 + (step % 38) * 0.5;
                slider.dispatchEvent(new Event("input", { bubbles: true }));
            } }""",
        ALPHA_BETA,
    )
    last = 1 + (99 % 38) * 0.5
    page.wait_for_function(
        "(text) => document.querySelector('.legend-title').textContent.includes(text)", arg=f"{last:g} Gy"
    )
    settle(page)
    assert slider.input_value() == f"{last:g}"
    assert updates.evaluate("(seen) => seen.count") < 50
    slider.fill("3")
    settle(page)
    wait_for_values(page, expected(by_command_line))


def test_a_reload_keeps_the_review_and_its_settings(page, by_command_line):
    page.get_by_label("Include course 1 in the sum").uncheck()
    wait_for_values(page, expected(by_command_line, left_out=frozenset({0})))
    page.reload()
    page.wait_for_selector(".constraints tbody tr")
    wait_for_values(page, expected(by_command_line, left_out=frozenset({0})))
    page.get_by_label("Include course 1 in the sum").check()
    wait_for_values(page, expected(by_command_line))


def test_a_second_window_is_told_and_can_take_over(page, new_page, served):
    second = new_page()
    second.goto(served.address)
    second.wait_for_selector("text=open in another window")
    assert second.locator(".constraints").count() == 0
    second.click("text=Use it here instead")
    second.wait_for_selector(".constraints tbody tr")
    page.wait_for_selector("text=no longer connected")
    second.close()
    page.reload()
    page.wait_for_selector(".constraints tbody tr")


def test_all_of_it_works_without_a_mouse(page, by_command_line):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "() => { const e = document.activeElement; return e.getAttribute('aria-label') || e.innerText; }"
            )
        )
        if reached[-1] == "Alpha/beta of the composite picture":
            break
    assert "Include course 1 in the sum" in reached
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.legend-title').textContent.includes('3.5 Gy')")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => document.querySelector('.legend-title').textContent.includes('3 Gy')")

    page.locator("#tab-review").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") != "tab-review"
    page.keyboard.press("ArrowLeft")
    page.locator(".constraints tbody button").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".focus")

    page.locator(".view-Red .remote-controlled-area").focus()
    place = page.inner_text(".view-Red .view-content")
    page.keyboard.press("ArrowUp")
    page.wait_for_function(
        "(before) => document.querySelector('.view-Red .view-content').textContent !== before", arg=place
    )
    page.keyboard.press("2")
    page.wait_for_selector(".layout-axial")
    page.keyboard.press("1")
    page.wait_for_selector(".layout-four")
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")


def test_every_control_has_a_name(page):
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, [tabindex='0']")]
            .filter((e) => e.offsetParent && !(e.getAttribute("aria-label") || e.textContent.trim() || e.title
                || e.labels?.[0]?.textContent.trim() || e.getAttribute("aria-labelledby")))
            .map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


def test_a_folder_that_cannot_be_reviewed_is_told_and_the_review_stays(page, by_command_line):
    page.click("#tab-data")
    page.locator(".folders").get_by_text("pet", exact=True).click()
    page.get_by_role("button", name="course", exact=True).click()
    page.click("text=Open the review")
    page.wait_for_selector(".message", timeout=60_000)
    assert len(page.inner_text(".message")) > 20
    page.click(".message button")
    page.locator("ol.chosen button").click()
    page.click("#tab-review")
    page.wait_for_selector(".constraints tbody tr")
    wait_for_values(page, expected(by_command_line))
    page.wait_for_timeout(200)  # the tab is the session's, for the next test too


def test_memory_stays_bounded_over_updates_and_reloads(page, served):
    def update(steps: int) -> None:
        for step in range(steps):
            page.locator(ALPHA_BETA).fill(f"{2 + step % 10}")
            page.wait_for_function(
                "(text) => document.querySelector('.legend-title').textContent.endsWith(text)",
                arg=f" {2 + step % 10} Gy",
            )

    update(20)
    before = served.resident_mb()
    update(100)
    for _ in range(20):
        page.reload()
        page.wait_for_selector(".constraints tbody tr")
    page.locator(ALPHA_BETA).fill("3")
    settle(page)
    assert served.resident_mb() - before < 150
