"""The base classes that Slicer gives a scripted module, as far as ours uses them."""

from __future__ import annotations

import unittest
from types import SimpleNamespace
from typing import Any


class ScriptedLoadableModule:
    """Metadata."""

    def __init__(self, parent: Any) -> None:
        self.parent = parent


class ScriptedLoadableModuleWidget:
    """The module's place in Slicer's window."""

    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.layout = parent.layout()
        self.developerMode = False

    def setup(self) -> None:
        """Add the developer section: none here."""

    def cleanup(self) -> None:
        """Leave nothing behind."""

    def onReload(self) -> None:
        """Load the module file anew: not here."""


class ScriptedLoadableModuleLogic:
    """The module's logic."""


class ScriptedLoadableModuleTest(unittest.TestCase):
    """The module's self-test."""

    def delayDisplay(self, message: str, requestedDelay: int | None = None) -> None:
        """Show a message for a moment: not here."""


def scripted_module_classes() -> SimpleNamespace:
    """Return what ``slicer.ScriptedLoadableModule`` holds."""
    names = ("ScriptedLoadableModule", *(f"ScriptedLoadableModule{part}" for part in ("Widget", "Logic", "Test")))
    return SimpleNamespace(**{name: globals()[name] for name in names})
