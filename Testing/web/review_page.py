"""What the browser tests do with the page again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

START_SECONDS = 180


def show(page: Page, address: str) -> None:
    """Open the review and wait until it is all there."""
    page.goto(address)
    page.wait_for_selector(".constraints tbody tr", timeout=START_SECONDS * 1000)
    for tag in ("Red", "Yellow", "Green", "View1"):
        page.wait_for_function(
            "(tag) => { const img = document.querySelector(`.view-${tag} img`);"
            " return img && img.complete && img.naturalWidth > 300; }",
            arg=tag,
            timeout=30_000,
        )


def settle(page: Page) -> None:
    """Wait until the page shows what was last asked for."""
    page.wait_for_function("() => !document.querySelector('.app').classList.contains('updating')")


def values(page: Page) -> dict[str, str]:
    """Return the constraint table's values by the row's key."""
    return page.evaluate(
        "() => Object.fromEntries([...document.querySelectorAll('.constraints tbody tr')]"
        ".map((row) => [row.dataset.key, row.querySelector('.value').textContent.trim()]))"
    )
