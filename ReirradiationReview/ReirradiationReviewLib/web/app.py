"""The web review: one review in one scene, driven from one page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from string import Template

from trame.ui.html import DivLayout
from trame_rca import module as rca_module

from .. import __version__
from ..beside import Beside
from ..core.results.statements import LIMITS, all_notices, assumptions
from ..core.review import Review
from ..run import RunInputs, make_review
from ..scene.environment import headless_environment
from ..scene.from_review import assumption_lines
from ..session import ReviewSession
from .controls import Controls
from .inputs import InputPanel
from .jobs import Jobs, JobStatus
from .live import LiveReview
from .outputs import OutputPanel
from .render import render
from .server import WEB_FOLDER, ReviewServer
from .stage import Stage
from .triggers import Triggers
from .views import PLACES

_PANELS = ("review", "data")
_SCREENSHOT_SAMPLES = 8


class ReviewApp:
    """Everything behind the page.

    Parameters
    ----------
    server
        The server, not started yet.
    root
        Folders below it can be opened from the page; None for none.
    """

    def __init__(self, server: ReviewServer, root: Path | None = None) -> None:
        self.server = server
        trame = server.trame
        trame.enable_module(rca_module)
        state = trame.state
        state.trame__title = "Re-irradiation review"
        state.trame__favicon = None
        state.trame__template_error = _text("ended.html")
        state.tab, state.message, state.probe, state.refused = "review", "", "", 0
        self.environment = headless_environment()
        self.session = ReviewSession(self.environment)
        self.jobs = Jobs(self._tell_job, self.say)
        self._tell_job(JobStatus())
        self.stage = Stage(trame, self.environment)
        self.live = LiveReview(trame, self.session, self.stage, self.say)
        self._inputs = InputPanel(trame, root, server.uploads)
        self._outputs = OutputPanel(trame, server.downloads)
        self._beside = Beside()
        self.triggers = Triggers(trame, self.say)
        self.triggers.add(Controls(self.live, self.stage).actions())
        self.triggers.add(
            {
                "cancel_job": self.jobs.cancel,
                "browse": self._inputs.browse,
                "choose_folder": self._inputs.choose_folder,
                "uploaded": self._inputs.uploaded,
                "remove_input": self._inputs.remove,
                "set_registration_method": self._inputs.set_registration,
                "open_review": lambda: self.open(self._inputs.inputs()),
                "make_files": self.make_files,
                "download": self.download,
            }
        )
        self.tell_page()
        self._build_page()
        trame.controller.on_server_ready.add(lambda **_: self.stage.register())

    async def open(self, inputs: RunInputs) -> None:
        """Read, register and map beside the loop, then show the review."""
        made = await self.jobs.run("Opening the review", lambda progress: make_review(inputs, progress))
        if made is not None:
            await self.show(*made)

    async def show(self, review: Review, beside: Beside | None = None) -> None:
        """Show a review in place of the one that is shown."""
        self._tell_job(JobStatus("scene", "Building the scene", 0.9))
        await asyncio.sleep(0.05)  # lets the message out: the scene belongs to this thread
        self._beside = beside or Beside()
        self.session.open(review, images=self._beside.images)
        with self.server.trame.state:
            self.live.opened()
            self._outputs.forget()
            self.tell_page()
        self._tell_job(JobStatus())

    async def make_files(self) -> None:
        """Write all files of the review as it is now."""
        await self.live.settled()
        review, beside = self.session.review, self._beside
        if review is None:
            return
        folder = await self.jobs.run("Making the files", lambda progress: self._outputs.make(review, beside, progress))
        if folder is not None:
            with self.server.trame.state:
                self._outputs.offer(folder)

    def download(self, what: str) -> str | None:
        """Return the address of a view's picture; ``what`` is ``"screenshot:TAG"``."""
        tag = what.removeprefix("screenshot:")
        review = self.session.review
        if review is None or tag not in [place.tag for place in PLACES]:
            return None
        view = self.stage.manager.get_view(tag)
        pixels = render(view, lambda: self.stage.prepare(tag), _SCREENSHOT_SAMPLES)
        caption = " · ".join([self.stage.caption(tag), *assumption_lines(review)])
        return self._outputs.picture(pixels, review.reference.patient, caption, f"{tag.lower()}.png")

    def say(self, text: str) -> None:
        """Show the user one plain sentence until it is closed."""
        with self.server.trame.state as state:
            state.message = text
            # Controls are drawn anew with it: what was typed or ticked and then refused must not stay on the page.
            state.refused += 1

    def tell_page(self) -> None:
        """Tell who the patient is and what the page is."""
        review = self.session.review
        notices = [] if review is None else all_notices(review)
        self.server.trame.state.page = {
            "patient": None if review is None else vars(review.reference.patient),
            "reference": "" if review is None else review.reference.label,
            "ready_text": "No review is open" if review is None else "Ready",
            "limits": list(LIMITS),
            "version": __version__,
            "notices": [{"where": notice.where, "text": notice.text} for notice in notices],
            "assumptions": [] if review is None else assumptions(review),
        }

    def _tell_job(self, status: JobStatus) -> None:
        with self.server.trame.state as state:
            state.job = {
                "title": status.title,
                "text": status.text,
                "fraction": status.fraction,
                "can_cancel": status.can_cancel,
            }

    def _build_page(self) -> None:
        views = [
            Template(_text("view.html")).safe_substitute(tag=place.tag, label=place.label, kind=place.kind)
            for place in PLACES
        ]
        page = _text("page.html")
        page = page.replace("<!-- panels -->", "\n".join(_text(f"panel_{name}.html") for name in _PANELS))
        page = page.replace("<!-- toolbar -->", _text("toolbar.html")).replace("<!-- views -->", "\n".join(views))
        with DivLayout(self.server.trame) as layout:
            layout.root.add_child(page)


def _text(name: str) -> str:
    return (WEB_FOLDER / name).read_text(encoding="utf-8")


def serve(server: ReviewServer, inputs: RunInputs | None, root: Path | None, on_ready: Callable[[], None]) -> None:
    """Serve the review until interrupted; the page answers at once, the review follows."""

    async def prepare() -> None:
        app = ReviewApp(server, root)
        if inputs is not None:
            app.triggers.start(app.open(inputs))

    server.run(prepare, on_ready)
