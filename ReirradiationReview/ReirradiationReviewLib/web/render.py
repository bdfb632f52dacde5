"""Frames of a view for the browser: at once and plain while things change, then once more, smooth, when they rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from trame_rca.encoders import RcaImageEncoder
from trame_slicer.rca_view.rca_view_factory import RcaWindow
from trame_slicer.views import AbstractView
from vtk.util.numpy_support import vtk_to_numpy

# JPEG encodes a view in 2 ms, where PNG and WebP take 20 to 40.
_ENCODER = RcaImageEncoder.JPEG
_QUICK_QUALITY, _SMOOTH_QUALITY = 80, 92
_SMOOTH_SAMPLES = 4
_REST_SECONDS = 0.3
_ENCODERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="encode")

Push = Callable[[bytes, dict[str, Any]], None]


class ViewWindow(RcaWindow):
    """A view's window as trame-rca drives it; keys go to the page's own controls, not to VTK's shortcuts."""

    def process_interaction_event(self, event: dict[str, Any]) -> None:
        """Hand a mouse event from the browser to the view."""
        if not event["type"].startswith("Key"):
            super().process_interaction_event(event)


class FrameScheduler:
    """Renders a view when asked to, never more often than frames can be encoded; many wishes make one frame.

    Parameters
    ----------
    view
        What is rendered.
    rca
        Its window as trame-rca sees it.
    prepare
        Called before every frame, for what is drawn on top of the view.
    """

    target_fps = 30.0

    def __init__(self, view: AbstractView, rca: ViewWindow, prepare: Callable[[], None]) -> None:
        self.rca = rca
        self._view = view
        self._prepare = prepare
        self._push: Push | None = None
        self._wanted = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run())

    def set_push_callback(self, push: Push) -> None:
        """Set who gets the encoded frames."""
        self._push = push

    def schedule_render(self) -> None:
        """Ask for a frame."""
        self._wanted.set()

    def reset(self) -> None:
        """Every frame stands by itself: nothing to do."""

    async def close(self) -> None:
        """Stop rendering."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            await self._frame(0, _QUICK_QUALITY)
            try:
                await asyncio.wait_for(self._wanted.wait(), _REST_SECONDS)
            except asyncio.TimeoutError:
                await self._frame(_SMOOTH_SAMPLES, _SMOOTH_QUALITY)

    async def _frame(self, samples: int, quality: int) -> None:
        self._wanted.clear()
        pixels = render(self._view, self._prepare, samples)
        height, width, _ = pixels.shape
        loop = asyncio.get_running_loop()
        content, meta, _ = await loop.run_in_executor(_ENCODERS, _ENCODER.encode, pixels, width, height, quality)
        if self._push is not None:
            self._push(content, meta)


def render(view: AbstractView, prepare: Callable[[], None], samples: int) -> NDArray[np.uint8]:
    """Render a view and return its pixels, shape ``(height, width, 3)``, top row first.

    Parameters
    ----------
    samples
        Of multisampling; 0 is quicker, and what shows transparent surfaces where depth peeling is on.
    """
    window = view.render_window()
    prepare()
    window.SetMultiSamples(samples)
    window.Render()
    image = vtk.vtkImageData()
    slicer.vtkMRMLLayerDisplayableManager.RenderWindowBufferToImage(window, image)
    width, height, _ = image.GetDimensions()
    values = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)
    return np.ascontiguousarray(values[::-1, :, :3])
