"""What figure 1 of Beddok 2022 (doi 10.1016/j.critrevonc.2022.103655) looks like, as data in one place.

"The isodoses (green line: 5 Gy, yellow line: 20 Gy, orange line: 40 Gy, and pink line: 60 Gy) [...] the target volume
(red line) defined using the PET hypermetabolism." Levels and hues are the paper's; windows, opacities and the colours
of the PET are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from .content import IsodoseLevel

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Figure1Preset:
    """How planning CT, PET, target and isodoses are shown together.

    Parameters
    ----------
    levels
        Isodoses by rising dose.
    target_types
        The first of these that a structure's name begins with is drawn: the visible tumour before margins around it.
    doubtful_name
        What the name of a structure begins with that only one modality shows: it is drawn in a colour of its own.
    pet_window
        Lowest and highest value of the PET's colours, SUV.
    pet_colours
        Share of the window and colour, by rising share. The PET's colours are added to the CT's greys, so that black
        leaves the CT as it is.
    fused_opacity
        Share of the PET's colours that is added.
    """

    levels: tuple[IsodoseLevel, ...]
    target_types: tuple[str, ...]
    target_colour: Rgb
    doubtful_name: str
    doubtful_colour: Rgb
    ct_window_hu: float
    ct_level_hu: float
    pet_window: tuple[float, float]
    pet_colours: tuple[tuple[float, Rgb], ...]
    fused_opacity: float


FIGURE1 = Figure1Preset(
    levels=(
        IsodoseLevel(5.0, (0, 200, 0)),
        IsodoseLevel(20.0, (255, 235, 0)),
        IsodoseLevel(40.0, (255, 140, 0)),
        IsodoseLevel(60.0, (255, 105, 180)),
    ),
    target_types=("GTV", "CTV", "PTV"),
    target_colour=(255, 0, 0),
    doubtful_name="Doubtful",
    doubtful_colour=(210, 210, 210),
    ct_window_hu=400.0,
    ct_level_hu=40.0,
    pet_window=(0.0, 10.0),
    # A hot scale: black, red, orange, yellow, white.
    pet_colours=(
        (0.0, (0, 0, 0)),
        (0.1, (40, 0, 0)),
        (0.3, (190, 30, 0)),
        (0.5, (255, 110, 0)),
        (0.75, (255, 210, 40)),
        (1.0, (255, 255, 235)),
    ),
    fused_opacity=0.6,
)
