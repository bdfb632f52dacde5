"""Display: what is chosen is shown, kept in the scene, and handed over to SlicerRT."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from conftest import settle

LAYOUTS = ["fourUp", "fourUpPlot", "sideBySide", "contouring", "contouringPlain"]
PRESETS = ["standard", "figure1", "percent", "constraints"]


def composites(slicer_app):
    nodes = slicer_app.scene.GetNodesByClass("vtkMRMLSliceCompositeNode")
    return [nodes.GetItemAsObject(index) for index in range(nodes.GetNumberOfItems())]


def choose(selector, handler, row):
    selector.currentIndex = row
    handler(row)


def levels(panel):
    return [node.GetName() for node in panel.session.nodes.isodoses]


def test_a_new_review_shows_the_composite_over_the_new_ct_at_its_hot_spot(open_panel, slicer_app):
    nodes = open_panel.session.nodes
    assert len(composites(slicer_app)) == 3
    for view in composites(slicer_app):
        assert view.GetBackgroundVolumeID() == nodes.reference_ct.GetID()
        assert view.GetForegroundVolumeID() == nodes.composite.GetID()
        assert view.GetForegroundOpacity() == pytest.approx(0.4)
    assert slicer_app.app._layout_manager.resets == ["slices"]


def test_every_volume_of_the_review_can_be_laid_over_the_ct(open_panel, slicer_app):
    selector = open_panel.display.ui.overlaySelector
    nodes = open_panel.session.nodes
    expected = [nodes.composite, *(c.eqd2 for c in nodes.courses), *(d for c in nodes.courses for d in c.doses)]
    expected.append(nodes.courses[0].ct)
    assert [selector.itemData(row) for row in range(selector.count)] == [*(node.GetID() for node in expected), ""]
    for row, node in enumerate([*expected, None]):
        choose(selector, open_panel.display.onOverlay, row)
        wanted = None if node is None else node.GetID()
        assert {view.GetForegroundVolumeID() for view in composites(slicer_app)} == {wanted}


def test_the_strength_is_that_of_the_slider(open_panel, slicer_app):
    open_panel.display.ui.overlayOpacitySlider.value = 0.75
    assert {view.GetForegroundOpacity() for view in composites(slicer_app)} == {0.75}


def test_isodoses_come_in_the_chosen_set(open_panel):
    ui, display = open_panel.display.ui, open_panel.display
    from ReirradiationReviewLib.desktop.display_section import ISODOSE_PRESETS

    names = [name for name, _text in ISODOSE_PRESETS]
    assert names == PRESETS
    choose(ui.isodoseSelector, display.onIsodoses, names.index("figure1"))
    assert levels(open_panel) == ["5 Gy", "20 Gy", "40 Gy", "60 Gy"]
    pink = open_panel.session.nodes.isodoses[3].GetDisplayNode().GetColor()
    np.testing.assert_allclose(pink, np.array([255, 105, 180]) / 255, atol=1e-3)
    choose(ui.isodoseSelector, display.onIsodoses, names.index("percent"))
    assert ui.prescriptionSpinBox.value == 50.0, "the new plan's prescription"
    assert levels(open_panel) == ["10 Gy", "25 Gy", "40 Gy", "47.5 Gy", "50 Gy", "53.5 Gy"]
    ui.prescriptionSpinBox.value = 40.0
    assert levels(open_panel)[4] == "40 Gy"
    choose(ui.isodoseSelector, display.onIsodoses, names.index("constraints"))
    limits = {r.limit for r in open_panel.session.constraints() if r.structure and r.unit == "Gy"}
    assert {f"{limit:g} Gy" for limit in limits} == set(levels(open_panel))
    choose(ui.isodoseSelector, display.onIsodoses, names.index("standard"))
    assert levels(open_panel) == ["5 Gy", "20 Gy", "40 Gy", "60 Gy"], "72 Gy is the highest"


def test_lines_surfaces_structures_and_legend_are_shown_as_ticked(open_panel, slicer_app):
    ui, nodes = open_panel.display.ui, open_panel.session.nodes
    displays = [node.GetDisplayNode() for node in nodes.isodoses]
    assert all(d.GetVisibility2D() and not d.GetVisibility3D() for d in displays)
    ui.surfacesCheckBox.checked = True
    assert all(d.GetVisibility2D() and d.GetVisibility3D() for d in displays)
    ui.linesCheckBox.checked = False
    assert all(d.GetVisibility() and not d.GetVisibility2D() for d in displays)
    ui.structuresCheckBox.checked = False
    assert not nodes.segmentation.GetDisplayNode().GetVisibility()
    legend = slicer_app.scene.GetFirstNodeByClass("vtkMRMLColorLegendDisplayNode")
    assert not legend.GetVisibility()
    ui.legendCheckBox.checked = True
    assert legend.GetVisibility()
    assert "alpha/beta 3 Gy" in legend.GetTitleText()


def test_new_isodoses_are_shown_like_the_others(open_panel):
    open_panel.display.ui.surfacesCheckBox.checked = True
    open_panel.biology.ui.displayAlphaBetaSlider.value = 0.8  # 40 + 20 * 5.8 / 2.8 = 81 Gy: one level more
    settle(open_panel)
    open_panel.catchUp()
    assert levels(open_panel)[-1] == "80 Gy"
    assert all(node.GetDisplayNode().GetVisibility3D() for node in open_panel.session.nodes.isodoses)


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_arrange_the_views_and_go_back(open_panel, slicer_app, name):
    from ReirradiationReviewLib.desktop import view_layouts

    display, nodes = open_panel.display, open_panel.session.nodes
    names = [each for each, _text in view_layouts.LAYOUTS]
    assert names == LAYOUTS
    manager = slicer_app.app._layout_manager
    choose(display.ui.layoutSelector, display.onLayout, names.index(name))
    left, right = (manager.sliceWidget(view).mrmlSliceCompositeNode() for view in ("Red", "Yellow"))
    if name == "sideBySide":
        assert left.GetBackgroundVolumeID() == nodes.courses[0].ct.GetID()
        assert left.GetForegroundVolumeID() == nodes.courses[0].eqd2.GetID()
        assert right.GetForegroundVolumeID() == nodes.composite.GetID()
    if name == "contouringPlain":
        assert (left.GetForegroundOpacity(), right.GetForegroundOpacity()) == (0.0, pytest.approx(0.4))
    isPair = name in ("sideBySide", "contouringPlain")
    assert manager.sliceWidget("Yellow").mrmlSliceNode().GetOrientation() == ("Axial" if isPair else "Sagittal")
    assert bool(left.GetLinkedControl()) == isPair
    choose(display.ui.layoutSelector, display.onLayout, names.index("fourUp"))
    assert manager.layout == 3
    assert manager.sliceWidget("Yellow").mrmlSliceNode().GetOrientation() == "Sagittal"
    assert {view.GetForegroundVolumeID() for view in composites(slicer_app)} == {nodes.composite.GetID()}


def test_the_views_and_the_crosshair_go_to_hot_spot_and_target(open_panel, slicer_app):
    crosshair = slicer_app.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    open_panel.display.ui.targetButton.click()
    target = np.array(crosshair.GetCrosshairRAS())
    np.testing.assert_allclose(target, [0.0, -30.0, 0.0], atol=2.0)  # the PTV's middle, 30 mm to the back in LPS
    open_panel.display.ui.hotSpotButton.click()
    assert not np.allclose(crosshair.GetCrosshairRAS(), target)


def test_without_slicerrt_the_hand_off_is_disabled_and_says_why(open_panel):
    for button in (open_panel.display.ui.isodoseModuleButton, open_panel.display.ui.dvhModuleButton):
        assert not button.enabled
        assert "SlicerRT" in button.toolTip


def test_slicerrts_modules_open_on_the_composite_in_gy_with_our_levels(open_panel, slicer_app, monkeypatch):
    import qt
    import slicer
    from standin import mrml_widgets
    from standin.proxy import PythonQtClass

    selectors = {}
    for name in ("isodose", "dosevolumehistogram"):
        widget = qt.QWidget()
        selector = PythonQtClass("slicer.qMRMLNodeComboBox", mrml_widgets.qMRMLNodeComboBox)(widget)
        selector.name = "MRMLNodeComboBox_DoseVolume"
        selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
        selector.setMRMLScene(slicer.mrmlScene)
        selectors[name] = selector
        module = SimpleNamespace(widgetRepresentation=lambda widget=widget: widget)
        monkeypatch.setattr(slicer.modules, name, module, raising=False)
    open_panel.update()
    open_panel.display.ui.isodoseModuleButton.click()
    open_panel.display.ui.dvhModuleButton.click()
    composite = open_panel.session.nodes.composite
    assert slicer_app.selected_modules == ["Isodose", "DoseVolumeHistogram"]
    assert [selector.currentNode().GetID() for selector in selectors.values()] == [composite.GetID()] * 2
    table = composite.GetNodeReference("colorTableRef")
    names = [table.GetColorName(index) for index in range(table.GetNumberOfColors())]
    assert names == ["5", "20", "40", "60"]
    hierarchy = slicer_app.scene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(composite)
    unit = hierarchy.GetAttributeFromItemAncestor(item, "DicomRtImport.DoseUnitName", "Study")
    assert (unit, composite.GetAttribute("DicomRtImport.DoseVolume")) == ("GY", "1")
