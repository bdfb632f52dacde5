"""What takes longer than the numbers and follows them: how good registrations are, and how sure values are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import qt

from ..core.errors import Progress
from ..core.headroom import Headroom
from ..core.registration.qa.of_review import assess_review
from ..core.review import Review
from ..core.uncertainty import RowRange
from .jobs import Jobs, Work
from .registration_work import assessed

if TYPE_CHECKING:
    from .panel import ReviewPanel

# Longer than the pauses between the strokes of a brush or the steps of a slider.
_REST_MILLISECONDS = 700


@dataclass(frozen=True)
class Ranges:
    """How sure the values of a review are, in the order of its constraints."""

    review: Review
    headroom: Sequence[Headroom | None]
    ranges: Sequence[RowRange | None]


@dataclass(frozen=True)
class _Task:
    """One piece of work.

    Parameters
    ----------
    subject
        What it is about: its result is of use as long as that is so.
    begin
        Takes what is needed from the scene, and returns the work.
    """

    kind: str
    subject: object
    begin: Callable[[], Work]
    done: Callable[[Any], None]


class Background:
    """Works while the panel rests, and gives way to what the user starts."""

    def __init__(self, panel: ReviewPanel) -> None:
        self.panel = panel
        self._ranges: Ranges | None = None
        self._task: _Task | None = None
        # What was begun last of each kind: what failed is not begun again and again.
        self._begun: dict[str, object] = {}
        self._jobs = Jobs(self._onState, panel.showMessage)
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REST_MILLISECONDS)
        self._timer.connect("timeout()", self.workNow)

    def ask(self) -> None:
        """Look for work when the panel has rested; work on what is no longer so is stopped."""
        task = self._task
        if task is not None:
            wanted = self._next(begun={})
            if wanted is None or wanted.subject is not task.subject:
                self.giveWay()
        self._timer.start()

    def giveWay(self) -> None:
        """Stop; what was not finished is begun again later."""
        if self._task is not None:
            self._begun.pop(self._task.kind, None)
            self._jobs.cancel()

    def close(self) -> None:
        """Work no more."""
        self.giveWay()
        self._timer.stop()

    def measureAgain(self) -> None:
        """Measure the registrations anew, such as at other landmarks."""
        self._begun.pop("quality", None)
        self._begun.pop("proposal", None)
        self.ask()

    def isBusyWith(self, kind: str) -> bool:
        """Whether a kind of work is running: ``quality``, ``proposal`` or ``ranges``."""
        return self._task is not None and self._task.kind == kind

    def rangesOf(self, review: Review | None) -> Ranges | None:
        """Return the ranges of a review; None where they are not worked out."""
        known = self._ranges
        return known if known is not None and known.review is review else None

    def workNow(self) -> None:
        """Begin what is missing, unless something runs: its end asks again."""
        if self._jobs.isRunning or self.panel.jobs.isRunning:
            return
        with self.panel.told():
            task = self._next(self._begun)
            if task is None:
                return
            self._begun[task.kind] = task.subject
            work = task.begin()
            self._task = task
            self._jobs.start(task.kind, work, partial(self._finish, task))

    def _finish(self, task: _Task, result: Any) -> None:
        wanted = self._next(begun={})
        if wanted is not None and wanted.subject is task.subject:
            with self.panel.told():
                task.done(result)

    def _onState(self, title: str | None, _text: str, _fraction: float) -> None:
        if title is None:
            self._task = None
            self._timer.start()

    def _next(self, begun: dict[str, object]) -> _Task | None:
        """Return what is missing and was not begun: a proposal first, since the user waits for it."""
        for find in (self._ofProposal, self._ofRegistrations, self._ofValues):
            task = find()
            if task is not None and begun.get(task.kind) is not task.subject:
                return task
        return None

    def _ofProposal(self) -> _Task | None:
        review, section = self.panel.session.review, self.panel.registration
        proposal = section.preview.proposal
        if review is None or proposal is None or proposal.quality is not None:
            return None
        transform = proposal.registration.transform

        def begin() -> Work:
            return partial(assessed, review, proposal.index, transform, section.landmarks.marked())

        return _Task("proposal", proposal.registration, begin, section.setQuality)

    def _ofRegistrations(self) -> _Task | None:
        review = self.panel.session.review
        if review is None or review.quality:
            return None

        def begin() -> Work:
            return partial(assess_review, review, self.panel.registration.landmarks.marked())

        return _Task("quality", review.mapped, begin, lambda found: self.panel.session.set_quality(found.quality))

    def _ofValues(self) -> _Task | None:
        review = self.panel.session.review
        if review is None or not self.panel.constraints.showsRanges or self.rangesOf(review) is not None:
            return None

        def done(found: Ranges) -> None:
            self._ranges = found
            self.panel.constraints.refresh()

        return _Task("ranges", review, lambda: partial(_workedOut, review), done)


def _workedOut(review: Review, _progress: Progress) -> Ranges:
    return Ranges(review, review.headroom(), review.uncertainty())
