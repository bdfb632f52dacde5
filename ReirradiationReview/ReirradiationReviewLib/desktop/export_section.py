"""The section of export: pictures, report, DICOM, transforms and scene."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from ..core.errors import Progress, ReirradiationError
from ..core.report.html import ReportPicture, write_report
from ..core.results.document import review_document
from ..core.review import Review
from ..run import dose_curves, make_folder, write_composite, write_transforms
from .capabilities import enableWith
from .screenshots import captureStandardViews, captureViews
from .section import Section


class ExportSection(Section):
    """Everything is written into one folder that the user chose."""

    name = "Export"

    def setup(self) -> None:
        ui = self.ui
        ui.folderButton.directory = slicer.app.defaultScenePath
        for button, write in (
            (ui.viewsButton, self.writeViews),
            (ui.standardViewsButton, self.writeStandardViews),
            (ui.reportButton, self.writeReport),
            (ui.dataButton, self.writeData),
            (ui.doseButton, self.writeDose),
            (ui.transformsButton, self.writeTransforms),
            (ui.sceneButton, self.writeScene),
        ):
            button.connect("clicked()", self._guarded(write))
        ui.filesList.connect("itemDoubleClicked(QListWidgetItem*)", self.onOpen)

    def update(self) -> None:
        self.widget.enabled = self.review is not None
        tip = _("Write report.html, with pictures of the standard views, and review.json")
        enableWith(self.ui.reportButton, self.panel.capabilities.report, tip)

    def _guarded(self, write: Callable[[], None]) -> Callable[[], None]:
        def clicked() -> None:
            with self.panel.told():
                if self.review is None:
                    raise ReirradiationError(_("No review is open, so there is nothing to write."))
                make_folder(self.folder)
                write()

        return clicked

    @property
    def folder(self) -> Path:
        """Where everything is written."""
        return Path(self.ui.folderButton.directory)

    def _wrote(self, paths: Sequence[Path]) -> None:
        listed = [self.ui.filesList.item(row).text() for row in range(self.ui.filesList.count)]
        self.ui.filesList.addItems([str(path) for path in paths if str(path) not in listed])

    def onOpen(self, item: Any) -> None:
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(item.text()))

    def writeViews(self) -> None:
        """Write a picture of each view as it is."""
        pictures = captureViews(self.panel.session, self.folder, "view", _("as set by the user"))
        self._wrote([picture.path for picture in pictures])

    def writeStandardViews(self) -> None:
        """Write pictures through the hot spot and the target."""
        self._wrote([picture.path for picture in captureStandardViews(self.panel.session, self.folder)])

    def writeReport(self) -> None:
        """Write the report with pictures of the standard views; the page is made beside the window."""
        pictures = captureStandardViews(self.panel.session, self.folder)
        shown = [ReportPicture(picture.path, picture.caption) for picture in pictures]
        review, folder = self.review, self.folder

        def write(progress: Progress) -> list[Path]:
            progress(0.1, _("Writing the report"))
            files = {"report": "report.html", "data": "review.json", "screenshots": [p.path.name for p in pictures]}
            document = review_document(review, files)
            report = folder / "report.html"
            write_report(report, document, dose_curves(review), shown)
            return [report, _writeJson(folder, document)]

        self.panel.start(_("Writing the report"), write, self._wrote)

    def writeData(self) -> None:
        """Write review.json."""
        review, folder = self.review, self.folder

        def write(_progress: Progress) -> list[Path]:
            return [_writeJson(folder, review_document(review, {"data": "review.json"}))]

        self.panel.start(_("Writing the numbers"), write, self._wrote)

    def writeDose(self) -> None:
        """Write the composite as RTDOSE, with the DICOM registrations that it was made with."""
        review, folder = self.review, self.folder
        self.panel.start(_("Writing RTDOSE"), lambda _progress: _writeDose(review, folder), self._wrote)

    def writeTransforms(self) -> None:
        """Write the registrations."""
        names, _objects = write_transforms(self.review, self.folder / "transforms")
        self._wrote([self.folder / name for name in names])

    def writeScene(self) -> None:
        """Save the whole scene as one file."""
        path = self.folder / "review.mrb"
        self.panel.catchUp()
        with slicer.util.WaitCursor():
            if not slicer.util.saveScene(str(path)):
                raise ReirradiationError(_("The scene could not be saved as {path}.").format(path=path))
        self._wrote([path])


def _writeDose(review: Review, folder: Path) -> list[Path]:
    names, objects = write_transforms(review, folder / "transforms")
    return [folder / write_composite(review, folder, objects), *(folder / name for name in names)]


def _writeJson(folder: Path, document: dict[str, Any]) -> Path:
    path = folder / "review.json"
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    return path
