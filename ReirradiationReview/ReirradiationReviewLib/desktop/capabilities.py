"""What this Slicer offers: the one place that asks."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

import slicer
from slicer.i18n import tr as _

OLDEST_SLICER = (5, 10)
REPORT_PACKAGES = ("jinja2", "matplotlib")


@dataclass(frozen=True)
class Capability:
    """One thing that may be there or not.

    Parameters
    ----------
    reason
        Why it is missing and what to do, or what it is used for.
    """

    title: str
    available: bool
    reason: str


class Capabilities:
    """What is there; asked anew with every property, since extensions and packages come while Slicer runs."""

    @property
    def slicerVersion(self) -> Capability:
        """Whether Slicer is new enough."""
        version = (slicer.app.majorVersion, slicer.app.minorVersion)
        text = _("{version}; {oldest} or newer is needed").format(
            version=slicer.app.applicationVersion, oldest=".".join(map(str, OLDEST_SLICER))
        )
        return Capability(_("Slicer version"), version >= OLDEST_SLICER, text)

    @property
    def slicerRt(self) -> Capability:
        """Whether SlicerRT's DICOM-RT import is there."""
        there = hasattr(slicer.modules, "dicomrtimportexport")
        reason = (
            _("Courses that it has loaded are found in the scene")
            if there
            else _("Not installed: DICOM-RT is read by this module's own reader, from folders")
        )
        return Capability(_("SlicerRT"), there, reason)

    @property
    def isodoseModule(self) -> Capability:
        """Whether SlicerRT's Isodose module is there."""
        return self._slicerRtModule("isodose", _("Isodose module"))

    @property
    def dvhModule(self) -> Capability:
        """Whether SlicerRT's Dose Volume Histogram module is there."""
        return self._slicerRtModule("dosevolumehistogram", _("Dose Volume Histogram module"))

    @property
    def dicomDatabase(self) -> Capability:
        """Whether the DICOM database is open."""
        database = getattr(slicer, "dicomDatabase", None)
        there = database is not None and bool(database.isOpen)
        reason = (
            _("Plan facts that SlicerRT drops are read from the original files")
            if there
            else _("Not open: open the DICOM module once; until then courses are loaded from folders only")
        )
        return Capability(_("DICOM database"), there, reason)

    @property
    def report(self) -> Capability:
        """Whether the packages that the report needs are there."""
        missing = [name for name in REPORT_PACKAGES if find_spec(name) is None]
        if missing:
            reason = _("Install {packages} with the button below").format(packages=", ".join(missing))
            return Capability(_("Report"), False, reason)
        return Capability(_("Report"), True, _("Written by the Export section"))

    def all(self) -> list[Capability]:
        """Return everything, for the table."""
        return [
            self.slicerVersion,
            self.slicerRt,
            self.isodoseModule,
            self.dvhModule,
            self.dicomDatabase,
            self.report,
        ]

    def _slicerRtModule(self, name: str, title: str) -> Capability:
        there = hasattr(slicer.modules, name)
        reason = _("The composite can be opened in it") if there else _("It comes with SlicerRT, which is missing")
        return Capability(title, there, reason)


def enableWith(button: object, capability: Capability, toolTip: str) -> None:
    """Enable a button where the capability is there; else its tool tip says why it is not."""
    button.enabled = capability.available
    button.toolTip = toolTip if capability.available else capability.reason
