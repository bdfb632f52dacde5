"""What the controls of the review panel and the toolbar do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..core.errors import ReirradiationError
from ..core.settings import Settings
from .live import LiveReview
from .stage import Stage


class Controls:
    """The actions of the review panel and the toolbar; whatever the browser sends is checked here or below."""

    def __init__(self, live: LiveReview, stage: Stage) -> None:
        self._live = live
        self._stage = stage

    def actions(self) -> dict[str, Callable[..., Any]]:
        """Return the actions by the names that the templates call them by."""
        return {
            "set_course": self.set_course,
            "set_fractions": self.set_fractions,
            "set_protocol": self.set_protocol,
            "set_display_alpha_beta": self.set_display_alpha_beta,
            "set_alpha_beta": self.set_alpha_beta,
            "set_recovery": self.set_recovery,
            "reset_biology": self.reset_biology,
            "set_dvh": self._live.show_in_dvh,
            "set_dvh_courses": self._live.show_courses_in_dvh,
            "show_constraint": self._live.show_constraint,
            "show_layout": self.show_layout,
            "maximise": self._stage.maximise,
            "set_view": self.set_view,
            "toggle_display": self._stage.toggle,
            "fit_views": self._stage.fit,
            "scroll": self._stage.scroll,
            "set_slice": self._stage.set_slice,
            "zoom": self._stage.zoom,
        }

    def show_layout(self, name: str) -> None:
        """Show these views."""
        self._stage.show_layout(name)
        self._live.refresh_courses()

    def set_view(self, name: str, value: Any) -> None:
        """Set one choice of the toolbar."""
        self._stage.set(name, value)
        self._live.refresh_courses()

    def set_course(self, index: int, is_on: bool) -> None:
        """Take a course into every sum, or leave it out."""
        left_out = self._live.settings.left_out
        self._live.wish(left_out=left_out - {index} if is_on else left_out | {index})

    def set_fractions(self, plan: str, text: Any) -> None:
        """Set the number of fractions that a plan's dose stands for."""
        number = _number(text)
        if not number.is_integer() or not 1 <= number <= 200:
            raise ReirradiationError(f"{plan}: the number of fractions has to be a whole number from 1 to 200")
        self._live.set_fractions({plan: int(number)})

    def set_protocol(self, name: str, is_on: bool) -> None:
        """Evaluate a constraint set, or not."""
        chosen = self._live.settings.protocols
        kept = tuple(each for each in chosen if each != name)
        if not is_on and not kept:
            raise ReirradiationError("at least one constraint set has to stay")
        self._live.wish(protocols=(*kept, name) if is_on else kept)

    def set_display_alpha_beta(self, value: Any) -> None:
        """Set the alpha/beta of the composite picture."""
        self._live.wish(display_alpha_beta_gy=_number(value))

    def set_alpha_beta(self, organ: str, value: Any) -> None:
        """Set an organ's alpha/beta."""
        self._live.wish(alpha_beta_gy={**self._live.settings.alpha_beta_gy, organ: _number(value)})

    def set_recovery(self, organ: str, value: Any) -> None:
        """Set the fraction of the earlier courses' EQD2 that an organ has forgotten."""
        self._live.wish(recovery={**self._live.settings.recovery, organ: _number(value)})

    def reset_biology(self) -> None:
        """Go back to the tables' values."""
        default = Settings()
        self._live.wish(alpha_beta_gy={}, recovery={}, display_alpha_beta_gy=default.display_alpha_beta_gy)


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ReirradiationError(f"{value!r} is not a number")
    return number
