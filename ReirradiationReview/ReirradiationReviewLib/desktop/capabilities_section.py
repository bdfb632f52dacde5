"""The section that says what is available, and installs what is not."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from .capabilities import REPORT_PACKAGES
from .section import Section
from .tables import Cell, fillTable, prepareTable


class CapabilitiesSection(Section):
    """A table of capabilities with two buttons."""

    name = "Capabilities"

    def setup(self) -> None:
        prepareTable(self.ui.capabilitiesTable)
        self.ui.installSlicerRtButton.connect("clicked()", self.onInstallSlicerRt)
        self.ui.installReportButton.connect("clicked()", self.onInstallReport)

    def update(self) -> None:
        capabilities = self.panel.capabilities
        fillTable(
            self.ui.capabilitiesTable,
            [
                (Cell(each.title), Cell(_("yes") if each.available else _("no")), Cell(each.reason))
                for each in capabilities.all()
            ],
        )
        self.ui.installSlicerRtButton.visible = not capabilities.slicerRt.available
        self.ui.installReportButton.visible = not capabilities.report.available

    def onInstallSlicerRt(self) -> None:
        """Ask the extensions manager for SlicerRT; it is there after a restart of Slicer."""
        with self.panel.told():
            # Slicer can be built without its extensions manager.
            model = slicer.app.extensionsManagerModel() if hasattr(slicer.app, "extensionsManagerModel") else None
            if model is None:
                self.panel.showMessage(
                    _("This Slicer has no extensions manager: SlicerRT cannot be installed from here.")
                )
                return
            if slicer.util.confirmOkCancelDisplay(_("Download and install SlicerRT? Slicer has to be restarted then.")):
                model.interactive = False
                model.installExtensionFromServer("SlicerRT")
            self.update()

    def onInstallReport(self) -> None:
        """Install what the report needs into Slicer's Python, after asking."""
        packages = " ".join(REPORT_PACKAGES)
        question = _("Download and install {packages} into Slicer's Python?").format(packages=packages)
        if slicer.util.confirmOkCancelDisplay(question):
            with self.panel.told():
                slicer.util.pip_install(packages)
        self.update()
        self.panel.export.update()
