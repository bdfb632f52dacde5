"""The .ui files against the code that uses them, and against the classes of a real Slicer."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from standin.facts import facts_of
from standin.ui_loader import full_name

MODULE = Path(__file__).resolve().parents[2] / "ReirradiationReview"
UI_FILES = sorted((MODULE / "Resources" / "UI").glob("*.ui"))
DESKTOP = MODULE / "ReirradiationReviewLib" / "desktop"
# Which .ui file the `ui` of a Python file is; others are sections, told by their `name`.
UI_OF_FILE = {"panel.py": "ReirradiationReview", "plans_given.py": "ReirradiationReviewBiology"}
# Widgets that show without asking for anything need no explanation.
SILENT = {"QLabel", "qMRMLWidget", "QWidget", "QProgressBar"}
SLOT_NAMES = re.compile(r"^[a-zA-Z]+\([\w*,: ]*\)$")


def widgets(ui_file: Path) -> dict[str, ElementTree.Element]:
    found = list(ElementTree.parse(ui_file).iter("widget"))
    names = [widget.get("name") for widget in found]
    assert len(names) == len(set(names)), f"a name stands twice in {ui_file.name}"
    return dict(zip(names, found, strict=True))


def ui_file_of(path: Path, tree: ast.Module) -> Path | None:
    stem = UI_OF_FILE.get(path.name)
    for node in ast.walk(tree):
        is_name = isinstance(node, ast.Assign) and [getattr(t, "id", "") for t in node.targets] == ["name"]
        if is_name and path.name.endswith("_section.py") and isinstance(node.value, ast.Constant):
            stem = f"ReirradiationReview{node.value.value}"
    return MODULE / "Resources" / "UI" / f"{stem}.ui" if stem else None


def is_ui(node: ast.AST) -> bool:
    """Return whether an expression is ``ui``, ``self.ui`` or ``panel.ui``."""
    return (isinstance(node, ast.Name) and node.id == "ui") or (isinstance(node, ast.Attribute) and node.attr == "ui")


def desktop_files() -> list[tuple[Path, ast.Module, Path]]:
    parsed = [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in sorted(DESKTOP.glob("*.py"))]
    return [(path, tree, ui) for path, tree in parsed if (ui := ui_file_of(path, tree))]


@pytest.mark.parametrize(("path", "tree", "ui_file"), desktop_files(), ids=lambda value: getattr(value, "name", ""))
def test_every_widget_that_the_code_uses_is_in_its_ui_file(path, tree, ui_file):
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and is_ui(node.value)}
    assert used, f"{path.name} uses no widget of {ui_file.name}"
    assert used <= widgets(ui_file).keys()


@pytest.mark.parametrize(("path", "tree", "ui_file"), desktop_files(), ids=lambda value: getattr(value, "name", ""))
def test_every_signal_that_the_code_connects_is_one_of_the_real_class(path, tree, ui_file):
    by_name = widgets(ui_file)
    for node in ast.walk(tree):
        is_connect = isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "connect"
        if not is_connect or not isinstance(node.args[0], ast.Constant):
            continue
        signature, sender = node.args[0].value, node.func.value
        assert SLOT_NAMES.match(signature), signature
        if isinstance(sender, ast.Attribute) and is_ui(sender.value):
            facts = facts_of(full_name(by_name[sender.attr].get("class")))
            assert signature in facts.signals, f"{path.name}: {sender.attr} ({facts.name}) has no signal {signature}"


@pytest.mark.parametrize("ui_file", UI_FILES, ids=lambda path: path.name)
def test_classes_properties_and_slots_are_those_of_slicer(ui_file):
    tree = ElementTree.parse(ui_file)
    for name, widget in widgets(ui_file).items():
        facts = facts_of(full_name(widget.get("class")))
        for prop in widget.findall("property"):
            assert prop.get("name") in facts.properties, f"{name}: {facts.name} has no property {prop.get('name')}"
            assert not facts.properties[prop.get("name")].endswith("(read only)"), f"{name}.{prop.get('name')}"
    for connection in tree.iter("connection"):
        for end, part, kind in (("sender", "signal", "signals"), ("receiver", "slot", "slots")):
            widget = widgets(ui_file)[connection.findtext(end)]
            assert connection.findtext(part) in getattr(facts_of(full_name(widget.get("class"))), kind)


@pytest.mark.parametrize("ui_file", UI_FILES, ids=lambda path: path.name)
def test_the_top_is_a_mrml_widget_whose_selectors_learn_of_the_scene(ui_file):
    tree = ElementTree.parse(ui_file)
    top = tree.getroot().find("widget")
    assert top.get("class") == "qMRMLWidget"
    told = {connection.findtext("receiver") for connection in tree.iter("connection")}
    selectors = {name for name, widget in widgets(ui_file).items() if widget.get("class") == "qMRMLNodeComboBox"}
    assert selectors == told
    custom = {element.findtext("class") for element in tree.iter("customwidget")}
    assert custom == {w.get("class") for w in widgets(ui_file).values() if not w.get("class").startswith("Q")}


@pytest.mark.parametrize("ui_file", UI_FILES, ids=lambda path: path.name)
def test_everything_that_can_be_used_says_what_it_does(ui_file):
    for name, widget in widgets(ui_file).items():
        if widget.get("class") not in SILENT:
            tips = [prop.findtext("string") for prop in widget.findall("property") if prop.get("name") == "toolTip"]
            assert any(tips), f"{name} has no tool tip"


def test_each_section_has_its_heading_in_the_panel():
    headings = widgets(MODULE / "Resources" / "UI" / "ReirradiationReview.ui")
    sections = [
        path.stem.removeprefix("ReirradiationReview") for path in UI_FILES if path.stem != "ReirradiationReview"
    ]
    assert len(sections) == 8
    for section in sections:
        heading = headings[f"{section[0].lower()}{section[1:]}Section"]
        assert heading.get("class") == "ctkCollapsibleButton"


def test_translated_texts_are_whole_sentences_with_places_and_not_put_together():
    for path in [*DESKTOP.glob("*.py"), MODULE / "ReirradiationReview.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_":
                assert isinstance(node.args[0], ast.Constant), f"{path.name}, line {node.lineno}"
