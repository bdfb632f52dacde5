"""The self-test that runs in Slicer, run on the stand-in: it must at least hold there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

# What the self-test asks for, and little more: drawing and sampling all organs takes most of its time.
ORGANS = ("Cord", "Oesophagus", "Heart_1", "GTV_recur", "PTV_5000")


@pytest.mark.slow
def test_the_self_test_passes_on_the_demo_case(panel, slicer_app, editor, demo_case, monkeypatch):
    from ReirradiationReviewLib.core.dicom import read_course
    from ReirradiationReviewLib.desktop.self_test import PanelSelfTest

    def few_organs(folder: Path, progress):
        course = read_course(folder, "course", progress)
        return replace(course, structures=tuple(s for s in course.structures if s.name in ORGANS))

    def load_demo_case():
        folders = (demo_case.course1, demo_case.course2)  # written once for all tests
        work = lambda progress: [few_organs(folder, progress) for folder in folders]  # noqa: E731
        panel.start("Reading the demo case", work, panel.courses.add)

    monkeypatch.setattr(panel.courses, "loadDemoCase", load_demo_case)
    said = []
    PanelSelfTest(panel, said.append).run()
    assert len(said) == 14
    assert slicer_app.selected_modules.count("SegmentEditor") == 1
