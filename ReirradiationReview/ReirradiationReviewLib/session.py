"""One review in one scene: what the Slicer panel and the browser talk to. No widget toolkit is known here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .core.constraints import ConstraintResult
from .core.courses import Structure
from .core.errors import Progress, ReirradiationError, no_progress
from .core.images import PlacedImage
from .core.registration.qa.quality import RegistrationQuality
from .core.review import Review
from .core.settings import Settings
from .scene.build import ReviewNodes, build_scene, remove_review
from .scene.environment import SceneEnvironment
from .scene.from_review import scene_content, target_centre_lps
from .scene.live import LiveScene
from .scene.registration_views import CheckMode, show_registration_check
from .scene.restore import RestoredReview, restore_review

Observer = Callable[[], None]


class ReviewSession:
    """The current review of a scene, and the scene that shows it.

    Everything here touches the scene and belongs on the thread that owns it. Reading, registering and mapping are pure
    functions of core, to be run elsewhere; their result comes in through `open`.

    Parameters
    ----------
    environment
        The scene to work in.
    """

    def __init__(self, environment: SceneEnvironment) -> None:
        self._environment = environment
        self._live: LiveScene | None = None
        self._review: Review | None = None
        self._observers: list[Observer] = []

    @property
    def review(self) -> Review | None:
        """The review that is shown; None before one is opened."""
        return self._review

    @property
    def live(self) -> LiveScene:
        """The scene's nodes, kept in step with the review.

        Raises
        ------
        ReirradiationError
            If no review is open.
        """
        if self._live is None:
            raise ReirradiationError("no review is open: load the courses first")
        return self._live

    @property
    def nodes(self) -> ReviewNodes:
        """The review's nodes in the scene."""
        return self.live.nodes

    def add_observer(self, observer: Observer) -> None:
        """Call ``observer`` after each change of the review."""
        self._observers.append(observer)

    def open(self, review: Review, progress: Progress = no_progress, images: Sequence[PlacedImage] = ()) -> None:
        """Show a review and the images beside its courses in the scene, in place of what is shown."""
        if self._live is not None:
            remove_review(self._environment, self._live.nodes)
        nodes = build_scene(self._environment, scene_content(review, images), progress)
        self._show(review, LiveScene(self._environment, nodes, review, images))

    def restore(self, progress: Progress = no_progress) -> bool:
        """Make the review anew that a loaded scene holds; False where it holds none.

        Raises
        ------
        ReirradiationError
            If something that the review needs is missing from the scene.
        """
        found = self.find_restorable()
        if found is None:
            return False
        self.resume(found, found.review(progress))
        return True

    def find_restorable(self) -> RestoredReview | None:
        """Return what a loaded scene holds of a review; None where it holds none.

        Raises
        ------
        ReirradiationError
            If something that the review needs is missing from the scene.
        """
        return restore_review(self._environment.scene)

    def resume(self, found: RestoredReview, review: Review) -> None:
        """Go on with the review that was made anew from what the scene holds."""
        self._show(review, LiveScene(self._environment, found.nodes, review, found.images))

    @property
    def images(self) -> tuple[PlacedImage, ...]:
        """PET, MR and others that are shown beside the courses; none before a review is open."""
        return () if self._live is None else self._live.images

    def add_images(self, images: Sequence[PlacedImage]) -> None:
        """Show more images beside the courses."""
        self.live.add_images(images)
        self._tell()

    def close(self) -> None:
        """Forget the review; its nodes stay in the scene."""
        self._review = self._live = None
        self._tell()

    def apply(self, settings: Settings) -> None:
        """Follow new settings; see `Review.with_settings`."""
        self._follow(self._open_review().with_settings(settings))

    def apply_numbers(self, settings: Settings) -> None:
        """Follow new settings in the numbers alone; `show_composite` and `catch_up` bring the scene along."""
        self._review = self._open_review().with_settings(settings)
        self._tell()

    def show_composite(self, *, courses_too: bool = False) -> None:
        """Bring the composite's volume up to date with the numbers: quick enough for every step of a slider."""
        self.live.follow_composite(self._open_review(), courses_too=courses_too)

    def catch_up(self) -> None:
        """Bring the whole scene up to date with the numbers: before it is saved, and when controls rest."""
        self.live.follow(self._open_review())

    def set_fractions(self, fractions: Mapping[str, int]) -> None:
        """Take user-entered numbers of fractions by plan label; see `Review.with_fractions`."""
        self._follow(self._open_review().with_fractions(fractions))

    def replace_structures(self, structures: Sequence[Structure]) -> None:
        """Follow edited structures of the reference course; see `Review.with_structures`."""
        self._follow(self._open_review().with_structures(structures))

    def set_quality(self, quality: Mapping[int, RegistrationQuality]) -> None:
        """Take what was measured of the registrations, by the course's index; see `assess_review`."""
        self._review = self._open_review().with_quality(quality)
        self._tell()

    def show_registration_check(self, course_index: int, mode: CheckMode) -> str:
        """Show in all slice views how a course's CT lies on the reference's; see `show_registration_check`."""
        return show_registration_check(self._environment, self.nodes, course_index, mode)

    def follow(self, review: Review) -> None:
        """Show another review of the same courses, such as one under other registrations that was made elsewhere."""
        self._follow(review)

    def follow_segments(self) -> bool:
        """Follow what was contoured in the scene since the last call; False where nothing was."""
        review = self._open_review()
        structures = self.live.edited_structures()
        if structures is None:
            return False
        review = review.with_structures(structures)
        self.live.follow(review, segments_show_it=True)
        self._review = review
        self._tell()
        return True

    def constraints(self) -> list[ConstraintResult]:
        """Return every constraint's result; empty before a review is open."""
        return [] if self._review is None else self._review.constraints()

    def jump_to(self, point_lps: NDArray[np.float64]) -> None:
        """Bring all slice views to a point in reference space, LPS mm, shape ``(3,)``."""
        self.live.jump_to(point_lps)

    def target_point(self) -> NDArray[np.float64] | None:
        """Return the middle of the new plan's target, LPS mm, shape ``(3,)``; None where it has none."""
        return None if self._review is None else target_centre_lps(self._review)

    def _open_review(self) -> Review:
        if self._review is None:
            raise ReirradiationError("no review is open: load the courses first")
        return self._review

    def _follow(self, review: Review) -> None:
        self.live.follow(review)
        self._review = review
        self._tell()

    def _show(self, review: Review, live: LiveScene) -> None:
        self._review, self._live = review, live
        self._tell()

    def _tell(self) -> None:
        for observer in tuple(self._observers):
            observer()
