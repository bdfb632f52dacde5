"""Two images on their way to a rigid alignment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import Progress, no_progress, part_of
from .refine import COARSE, Level, Matrix, Refinement
from .shifts import Likeness
from .similarity import NO_AGREEMENT, Agreement
from .start import FULL_FAN, LEVEL_FAN, Fan, find_starts
from .subject import Subject, centroid_lps, mirrored

if TYPE_CHECKING:
    import SimpleITK

_STARTS = 4
# A start that scores less than this share of the best one is not worth refining.
_WORTH_REFINING = 0.5

Judge = Callable[[Subject, Subject, Matrix, float], Agreement]


@dataclass(frozen=True)
class Pair:
    """A reference and a moving image, and how their alignments are told apart.

    Parameters
    ----------
    likeness
        Scores every shift of the search.
    judge
        Scores one alignment at a voxel size in mm.
    seed
        Of the random choice of metric samples.
    """

    reference: Subject
    moving: Subject
    likeness: Likeness
    judge: Judge
    seed: int = 1

    def begun(self, start_lps: Matrix | None, progress: Progress = no_progress) -> tuple[Agreement, Matrix] | None:
        """Return the coarse alignment that a start leads to, or the best one there is; None where none holds."""
        if start_lps is None:
            return self.found_anywhere(FULL_FAN, _STARTS, progress)
        return self.judged(self.refined(start_lps, [COARSE], progress=progress), COARSE)

    def found_anywhere(self, fan: Fan, count: int, progress: Progress = no_progress) -> tuple[Agreement, Matrix] | None:
        """Return the best of the alignments that the best starts lead to; None where none holds."""
        search = part_of(progress, 0.0, 0.5)
        starts = find_starts(self.reference, self.moving, fan, count, likeness=self.likeness, progress=search)
        worth = [start for start in starts if start.score >= _WORTH_REFINING * starts[0].score]
        found = []
        for n, start in enumerate(worth):
            part = part_of(progress, 0.5 + 0.5 * n / len(worth), 0.5 + 0.5 * (n + 1) / len(worth))
            end = self._refinement(COARSE, None, part).refined(start.matrix_lps)
            if end is not None:
                found.append(self.judged(end, COARSE))
        return max(found, key=lambda judged: judged[0].score, default=None)

    def refined(
        self,
        matrix: Matrix,
        levels: Sequence[Level],
        region: SimpleITK.Image | None = None,
        progress: Progress = no_progress,
    ) -> Matrix:
        """Return the matrix after one level after another; a level where the images lose each other changes nothing.

        Parameters
        ----------
        region
            Mask in the reference's space that the metric looks at; None for the body and its ring of air.
        """
        for n, level in enumerate(levels):
            part = part_of(progress, n / len(levels), (n + 1) / len(levels))
            finer = self._refinement(level, region, part).refined(matrix)
            matrix = matrix if finer is None else finer
        return matrix

    def judged(self, matrix: Matrix, level: Level) -> tuple[Agreement, Matrix]:
        """Return an alignment with how well the images agree in it."""
        return self.judge(self.reference, self.moving, matrix, level.spacing_mm), matrix

    def mirrored_agreement(self, progress: Progress = no_progress) -> Agreement:
        """Return how well the reference agrees at 8 mm with the moving image's mirror image, aligned likewise."""
        turned = replace(self, moving=mirrored(self.moving)).found_anywhere(LEVEL_FAN, 1, progress)
        return turned[0] if turned else NO_AGREEMENT

    def _refinement(self, level: Level, region: SimpleITK.Image | None, progress: Progress) -> Refinement:
        if region is None:
            region, centre = self.reference.ring, self.reference.centre_lps
        else:
            centre = centroid_lps(region)
        return Refinement(self.reference, self.moving, region, centre, level, self.seed, progress)
