"""A synthetic but lifelike two-course chest case: sample data of the module and phantom of the tests."""

from .case import DemoCase, write_demo_case

__all__ = ["DemoCase", "write_demo_case"]
