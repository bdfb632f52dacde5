"""What PET, MR and others show in a target, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..courses import Structure
from ..images import PlacedImage
from ..targets.make import Target
from ..targets.outline import region_of
from ..targets.values import image_values

# What is told of a target that was made here, beside what is told of all targets.
_HOW = (
    "method_id", "parameter", "parameter_by_user", "source", "status", "image", "margin_mm", "margin_around",
    "margin_source_cc", "cut_at", "combined", "combined_from",
)  # fmt: skip


def seen_in_images(structure: Structure, images: Sequence[PlacedImage], made: Target | None) -> dict[str, Any]:
    """Return each image's values in a target, the SUV of the first PET, and how a new target was made.

    Parameters
    ----------
    made
        The target, if it was made here; None for a contour of the structure set.
    """
    seen = [{"image": image.name, **image_values(image, region_of(structure, image.volume))} for image in images]
    suv = next((entry for entry in seen if entry.get("suv_max") is not None), {})
    entry: dict[str, Any] = {"images": seen, "suv_max": suv.get("suv_max"), "suv_image": suv.get("image")}
    if made is not None:
        entry["method"] = made.facts["method"]
        entry["made_here"] = {key: made.facts[key] for key in _HOW if key in made.facts}
    return entry
