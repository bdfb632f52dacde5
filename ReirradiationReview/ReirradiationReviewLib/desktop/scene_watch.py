"""What happens to the scene while the panel is open: closed, loaded into, contoured in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.util import VTKObservationMixin

from ..scene.state import find_parameter_node, referenced

if TYPE_CHECKING:
    from .panel import ReviewPanel

# A brush stroke changes a segment many times; values follow when it rests this long.
_STROKE_PAUSE_MILLISECONDS = 300


class SceneWatch(VTKObservationMixin):
    """Keeps a panel in step with its scene."""

    def __init__(self, panel: ReviewPanel) -> None:
        VTKObservationMixin.__init__(self)
        self.panel = panel
        self._segmentation: Any = None
        self._strokeTimer = qt.QTimer()
        self._strokeTimer.setSingleShot(True)
        self._strokeTimer.setInterval(_STROKE_PAUSE_MILLISECONDS)
        self._strokeTimer.connect("timeout()", self.followSegments)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._onStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self._onEndClose)
        self.addObserver(scene, scene.EndImportEvent, self._onEndImport)
        panel.session.add_observer(self._watchSegments)

    def close(self) -> None:
        """Watch nothing any more."""
        self._strokeTimer.stop()
        self.removeObservers()

    def followSegments(self) -> None:
        """Evaluate what was contoured since the last time."""
        self._strokeTimer.stop()
        if self.panel.session.review is not None:
            with self.panel.told():
                self.panel.session.follow_segments()

    def _watchSegments(self) -> None:
        session = self.panel.session
        segmentation = None if session.review is None else session.nodes.segmentation.GetSegmentation()
        if segmentation is self._segmentation:
            return
        if self._segmentation is not None:
            self.removeObservers(self._onSegments)
        self._segmentation = segmentation
        if segmentation is None:
            return
        for event in (
            segmentation.SourceRepresentationModified,
            segmentation.SegmentModified,
            segmentation.SegmentAdded,
            segmentation.SegmentRemoved,
        ):
            self.addObserver(segmentation, event, self._onSegments)

    def _onSegments(self, _caller: object, _event: str) -> None:
        self._strokeTimer.start()

    def _onStartClose(self, _caller: object, _event: str) -> None:
        self.panel.jobs.cancel()
        self.panel.registration.forgetProposal()
        self.panel.session.close()

    def _onEndClose(self, _caller: object, _event: str) -> None:
        self.panel.courses.setCourses(())
        self.panel.showMessage("")
        self.panel.update()

    def _onEndImport(self, _caller: object, _event: str) -> None:
        """Open the review of a scene that was loaded; one that was open before gives way to it."""
        parameters = find_parameter_node(slicer.mrmlScene)
        if parameters is None:
            return
        session = self.panel.session
        if session.review is not None:
            if session.nodes.record in referenced(parameters, "record"):
                return  # another scene was added that holds no review
            session.close()
        self.panel.restore()
