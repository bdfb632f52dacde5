"""Organs: their names, their sample points and their dose-volume figures."""
