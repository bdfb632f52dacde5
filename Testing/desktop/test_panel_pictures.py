"""Every section drawn: what a user would see, folded and unfolded, with and without a review."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6 import QtGui
from standin.proxy import unwrap


def picture_of(widget) -> np.ndarray:
    image = unwrap(widget).grab().toImage().convertToFormat(QtGui.QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)


def show(panel, width=480):
    frame = unwrap(panel.frame)
    frame.resize(width, frame.sizeHint().height())
    frame.show()


@pytest.mark.parametrize(
    "section",
    ["Courses", "Registration", "Biology", "Constraints", "Display", "Target", "Export", "Capabilities"],
)
def test_each_section_draws_its_widgets_within_a_narrow_panel(open_panel, section, tmp_path):
    show(open_panel)
    drawn = next(each for each in open_panel.sections if each.name == section)
    unwrap(drawn.widget).grab().save(str(tmp_path / f"{section}.png"))
    picture = picture_of(drawn.widget)
    assert picture.shape[0] > 60
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20, "text, frames and buttons, not an empty field"


def test_a_verdict_has_its_color_in_the_table(open_panel):
    show(open_panel)
    picture = picture_of(open_panel.constraints.ui.constraintsTable).reshape(-1, 3).astype(int)
    for color in ((255, 180, 180), (215, 215, 215)):  # fail, unknown
        assert (np.abs(picture - color).max(axis=1) <= 2).sum() > 100


def test_a_folded_section_takes_the_room_of_its_heading(open_panel):
    show(open_panel)
    heading = open_panel.constraints.heading
    unfolded = unwrap(heading).height()
    heading.collapsed = True
    unwrap(open_panel.frame).adjustSize()
    assert unwrap(heading).height() < unfolded / 3
    assert not unwrap(open_panel.constraints.widget).isVisible()
