"""What the numbers rest on, what they leave out, and what the user must know."""

from __future__ import annotations

from collections.abc import Sequence

from ..constraints import ConstraintResult
from ..courses import ImageSeries
from ..errors import Notice
from ..review import Review

LIMITS = (
    "This is a review aid for research; it is not a medical device, and its numbers need independent checks.",
    "Decision-making on reirradiation based solely on dosimetric criteria is not an option (Beddok 2022, "
    "doi 10.1016/j.critrevonc.2022.103655).",
    "Dose is mapped point by point through the registration; its error is not yet part of the values shown.",
    "EQD2 follows the linear-quadratic model with complete repair between fractions; each plan is taken as given in "
    "fractions of its own.",
    "Published cumulative limits come from few patients, mostly without a stated alpha/beta or definition of Dmax.",
)


def assumptions(review: Review) -> list[str]:
    """Return what the numbers rest on, one sentence each."""
    lines = [
        "EQD2 by the LQ model, voxel by voxel on each plan's own grid with its own number of fractions, then mapped "
        "to the reference and summed; nothing is summed in physical dose first.",
        "Organs are the contours of " + review.reference.label + "; metrics come from sample points of 1 mm or finer "
        "near the surface and at the hot spot.",
        "Values count known dose only. Where a dose grid ends, the verdict is given only if the dose at the grid's "
        "nearest edge could not change it.",
        "Dmax in a constraint is read as the dose to the hottest 0.03 cc unless its row says otherwise.",
        f"The composite pictures are drawn with alpha/beta {review.settings.display_alpha_beta_gy:g} Gy everywhere, "
        "without recovery.",
    ]
    for _, plan in review.plans:
        rbe = "RBE already in the dose" if plan.dose_type == "EFFECTIVE" else "physical dose, no RBE applied"
        lines.append(f"{plan.label}: {plan.fractions} fractions ({plan.fractions_source}), {plan.dose_type}: {rbe}.")
    for index in sorted(review.settings.left_out):
        lines.append(f"{review.courses[index].label} is left out of every sum.")
    recovered = [f"{organ.name} {organ.recovery:.0%}" for organ in review.organs if organ.recovery > 0]
    lines.append("Recovery: " + (", ".join(recovered) if recovered else "none") + ".")
    return lines


def not_covered(review: Review, constraints: Sequence[ConstraintResult]) -> list[str]:
    """Return what no number of this review speaks of."""
    missing = [f"{c.protocol}: {c.organs} is not contoured" for c in constraints if c.structure is None]
    partly = [
        f"{organ.name}: {incomplete:.1f} % of the volume lies outside at least one course's dose grid"
        for organ in review.organs
        if (incomplete := organ.eqd2(review.weights()).incomplete_percent) > 0
    ]
    return [*dict.fromkeys(missing), *partly]


def all_notices(review: Review) -> list[Notice]:
    """Return every notice of the review once, in order."""
    found = [*review.notices, *(n for registration in review.registrations for n in registration.notices)]
    return list(dict.fromkeys(found))


def image_notices(review: Review, images: Sequence[ImageSeries]) -> list[Notice]:
    """Return what the user must know of the series read beside the courses."""
    notices = []
    for image in images:
        name = f"{image.modality} {image.description}".strip()
        notices.append(Notice("image-listed-only", f"{name} was read and is listed, but no value here uses it", name))
        if image.patient.id != review.reference.patient.id:
            text = f"PatientID (0010,0020) of {name} differs from that of {review.reference.label}"
            notices.append(Notice("patient-mismatch", text, name))
    return notices
