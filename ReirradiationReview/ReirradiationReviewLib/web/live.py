"""A review that follows the page's controls: table first, then curves, then pictures; the latest wish wins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from trame_server import Server

from ..core.constraints import ConstraintResult
from ..core.errors import ReirradiationError
from ..core.settings import Settings
from ..session import ReviewSession
from . import rows
from .latest import LatestWins
from .stage import Stage

_FRAME_SECONDS = 0.005


class LiveReview:
    """Applies settings to the session and tells the page.

    Parameters
    ----------
    on_error
        Called with one plain sentence where settings are refused.
    """

    def __init__(self, server: Server, session: ReviewSession, stage: Stage, on_error: Callable[[str], None]) -> None:
        self._server = server
        self._session = session
        self._stage = stage
        self._on_error = on_error
        self._wishes: LatestWins[Settings] = LatestWins(self._apply)
        self._wished: Settings | None = None
        self._results: dict[str, tuple[int, ConstraintResult]] = {}
        self._in_dvh: set[str] = set()
        self._shows_courses = False
        state = server.state
        state.updating = False
        state.focus = None
        self.tell_everything()

    @property
    def settings(self) -> Settings:
        """The settings that were asked for last, whether they are applied yet or not."""
        review = self._session.review
        if review is None:
            raise ReirradiationError("no review is open: load the courses first")
        return self._wished or review.settings

    def wish(self, **changes: Any) -> None:
        """Ask for changed settings."""
        self._wished = replace(self.settings, **changes)
        self._server.state.updating = True
        self._wishes.wish(self._wished)

    def set_fractions(self, fractions: Mapping[str, int]) -> None:
        """Set numbers of fractions by plan label."""
        self._session.set_fractions(fractions)
        self.follow()

    def follow(self) -> None:
        """Show the session's review after a change of another kind than settings."""
        review = self._session.review
        if review is not None:
            self.tell_everything()
            self._stage.follow(review, self._session.nodes, self._session.live.levels)

    def refresh_courses(self) -> None:
        """Bring the courses' own EQD2 up to date where it is looked at now."""
        if self._session.review is not None and self._stage.shows_courses:
            self._session.show_composite(courses_too=True)

    async def settled(self) -> None:
        """Wait until the scene shows all that was asked for."""
        await self._wishes.settled()
        if self._session.review is not None:
            self._session.catch_up()

    def opened(self) -> None:
        """Take a new review."""
        self._wished = None
        review = self._session.review
        assert review is not None
        self._in_dvh = rows.first_choice_of_organs(review)
        self._server.state.focus = None
        self.tell_everything()
        self._stage.open(review, self._session.nodes, self._session.live.levels)

    def tell_everything(self) -> None:
        """Tell the page all of the review, after a change of another kind than settings."""
        self._tell_settings()
        self._tell_table()
        self._tell_curves()

    def show_in_dvh(self, organ: str, is_on: bool) -> None:
        """Show an organ's curve or not."""
        self._in_dvh = self._in_dvh | {organ} if is_on else self._in_dvh - {organ}
        self._tell_curves()

    def show_courses_in_dvh(self, is_on: bool) -> None:
        """Show each course's curve beside the composite's or not."""
        self._shows_courses = is_on
        self._tell_curves()

    def show_constraint(self, key: str) -> None:
        """Bring the views to the hottest point of a constraint's organ, and tell the constraint in full."""
        review = self._session.review
        if review is None or key not in self._results:
            return
        place, result = self._results[key]
        focus = rows.focus(review, result, review.headroom()[place])
        self._server.state.focus = focus
        if focus["position_lps_mm"] is not None:
            self._stage.jump_to(focus["position_lps_mm"])

    async def _apply(self, settings: Settings, is_outdated: Callable[[], bool]) -> None:
        """Follow settings step by step; what is outdated half-way is left for the newer wish."""
        try:
            self._session.apply_numbers(settings)
        except ReirradiationError as error:
            self._refuse(str(error))
            return
        with self._server.state:
            self._tell_table()
            self._tell_settings()
        # The table goes out to the browser before the pictures are begun.
        await asyncio.sleep(0)
        if is_outdated():
            return
        self._session.show_composite(courses_too=self._stage.shows_courses)
        review = self._session.review
        assert review is not None
        with self._server.state as state:
            self._stage.follow(review, self._session.nodes, self._session.live.levels)
            state.updating = False
        # Each view renders when the loop comes round; the curves can wait for them.
        await asyncio.sleep(_FRAME_SECONDS)
        if not is_outdated():
            with self._server.state:
                self._tell_curves()

    def _refuse(self, reason: str) -> None:
        review = self._session.review
        self._wished = None if review is None else review.settings
        with self._server.state:
            self._server.state.updating = False
            self._tell_settings()
            self._on_error(reason)

    def _tell_settings(self) -> None:
        state, review = self._server.state, self._session.review
        state.courses = [] if review is None else rows.course_rows(review)
        state.biology = {"display_alpha_beta_gy": 3.0, "organs": []} if review is None else rows.biology_rows(review)
        state.protocols = [] if review is None else rows.protocol_rows(review)

    def _tell_table(self) -> None:
        results = self._session.constraints()
        self._results = {rows.constraint_key(result): (place, result) for place, result in enumerate(results)}
        self._server.state.constraints = rows.constraint_rows(results)
        self._server.state.tally = rows.tally(results)

    def _tell_curves(self) -> None:
        review = self._session.review
        empty = {"curves": [], "max_dose_gy": 10.0, "quantity": "EQD2 (Gy)", "shows_courses": False, "organs": []}
        self._server.state.dvh = empty if review is None else rows.dvh(review, self._in_dvh, self._shows_courses)
