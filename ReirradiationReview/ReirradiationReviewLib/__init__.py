"""Re-irradiation review: courses in, composite EQD2, constraints and report out."""

__version__ = "0.1.0"
