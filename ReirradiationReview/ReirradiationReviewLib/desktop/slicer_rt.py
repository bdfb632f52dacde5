"""The hand-off to SlicerRT's modules, with the unit and the levels set so that they show Gy."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from ..core.errors import ReirradiationError
from ..scene.build import ReviewNodes

# Names of SlicerRT: Isodose/MRML/vtkMRMLIsodoseNode.cxx and the modules' .ui files.
_COLOR_TABLE_ROLE = "colorTableRef"
_DOSE_SELECTOR = "MRMLNodeComboBox_DoseVolume"


def openIsodose(nodes: ReviewNodes) -> None:
    """Open the Isodose module on the composite, with this review's levels."""
    # A dose volume without a color table of its own is given SlicerRT's, which ends at 35 Gy.
    nodes.composite.SetNodeReferenceID(_COLOR_TABLE_ROLE, nodes.isodose_colours.GetID())
    _openOnDose("isodose", "Isodose", nodes)


def openDvh(nodes: ReviewNodes) -> None:
    """Open the Dose Volume Histogram module on the composite."""
    _openOnDose("dosevolumehistogram", "DoseVolumeHistogram", nodes)


def _openOnDose(moduleAttribute: str, moduleName: str, nodes: ReviewNodes) -> None:
    module = getattr(slicer.modules, moduleAttribute, None)
    if module is None:
        raise ReirradiationError(_("{module} is a module of SlicerRT, which is missing.").format(module=moduleName))
    slicer.util.selectModule(moduleName)
    # The module's logic has no methods in Python, so its own selector is set.
    slicer.util.findChild(module.widgetRepresentation(), _DOSE_SELECTOR).setCurrentNode(nodes.composite)
