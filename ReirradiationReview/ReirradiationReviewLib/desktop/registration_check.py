"""How the CT of an earlier course is looked at together with the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.i18n import tr as _

from ..core.errors import ReirradiationError
from ..scene.overlay import show_over_ct
from ..scene.registration_views import CheckMode, show_registration_check

if TYPE_CHECKING:
    from .panel import ReviewPanel

MODES: tuple[tuple[CheckMode, str], ...] = (
    ("off", _("Off")),
    ("blend", _("Blend")),
    ("checkerboard", _("Checkerboard")),
    ("difference", _("Difference")),
    ("flicker", _("Flicker")),
    ("jacobian", _("Jacobian of the deformation")),
    ("grid", _("Deformed grid")),
)
_REST_MILLISECONDS = 300
_FLICKER_MILLISECONDS = 700


class RegistrationCheck:
    """Blends while a slider moves; what has to be computed follows when it rests.

    Parameters
    ----------
    ui
        Widgets of the section of registration.
    """

    def __init__(self, panel: ReviewPanel, ui: Any) -> None:
        self.panel = panel
        self.ui = ui
        self._isComputed = False
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.connect("timeout()", self.showNow)
        ui.checkModeSelector.addItems([text for _name, text in MODES])
        ui.checkModeSelector.connect("currentIndexChanged(int)", lambda _row: self.show())
        ui.checkOpacitySlider.connect("valueChanged(double)", lambda _value: self.show())

    @property
    def mode(self) -> CheckMode:
        """How the two CTs are shown together."""
        return MODES[self.ui.checkModeSelector.currentIndex][0]

    def setMode(self, mode: CheckMode) -> None:
        """Choose how the two CTs are shown together."""
        self.ui.checkModeSelector.setCurrentIndex([name for name, _text in MODES].index(mode))

    def show(self) -> None:
        """Show the two CTs as chosen."""
        self._timer.stop()
        self.ui.checkOpacitySlider.enabled = self.mode == "blend"
        self.ui.checkLabel.text = ""
        session, index = self.panel.session, self.panel.registration.courseIndex
        if session.review is None or index < 0:
            return
        if self.mode in ("off", "blend"):
            self.leave()
        if self.mode == "off":
            self.panel.display.showOverlay()
        elif self.mode == "blend":
            ct = session.nodes.courses[index].ct
            show_over_ct(slicer.mrmlScene, session.nodes, ct, self.ui.checkOpacitySlider.value)
        else:
            self._timer.start(_REST_MILLISECONDS)

    def leave(self) -> None:
        """Take out of the scene what was computed for the check."""
        self._timer.stop()
        if self._isComputed and self.panel.session.review is not None:
            self._check("off")
        self._isComputed = False

    def showNow(self) -> None:
        """Compute what is shown; a flicker goes on by itself."""
        self._timer.stop()
        if self.panel.session.review is None or self.panel.registration.courseIndex < 0:
            return
        with self.panel.told():
            try:
                self._isComputed = True
                self.ui.checkLabel.text = self._check(self.mode)
            except ReirradiationError as error:
                self.leave()
                self.panel.display.showOverlay()
                self.ui.checkLabel.text = str(error)
                return
            if self.mode == "flicker":
                self._timer.start(_FLICKER_MILLISECONDS)

    def _check(self, mode: CheckMode) -> str:
        registration = self.panel.registration
        nodes = registration.preview.shownNodes()
        return show_registration_check(self.panel.environment, nodes, registration.courseIndex, mode)
