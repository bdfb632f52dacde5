"""What a run writes of the overlap: one label map for each earlier course."""

from __future__ import annotations

from pathlib import Path

from .core.overlap import overlap_steps
from .core.review import Review
from .registration_outputs import make_folder


def write_overlap_maps(review: Review, out: Path) -> list[str]:
    """Write where each earlier and the new course overlap, as NRRD in LPS; see `core.overlap.overlap_steps`.

    Returns
    -------
    list of str
        Names relative to ``out``; a course whose prescription is not known has none.
    """
    import SimpleITK as sitk

    names = []
    for index in range(len(review.courses)):
        steps = None if index == review.reference_index else overlap_steps(review, index)
        if steps is not None:
            make_folder(out / "overlap")
            name = f"overlap/course{index + 1}.nrrd"
            sitk.WriteImage(steps.to_sitk(), str(out / name), useCompression=True)
            names.append(name)
    return names
