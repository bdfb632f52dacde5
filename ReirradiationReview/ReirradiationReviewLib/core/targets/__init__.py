"""Targets of the new course: regions made from images, their outlines on the planning CT."""
