"""Transforms between the courses' patient spaces, and how they are found."""
