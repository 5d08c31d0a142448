"""Beistand keeps a second telephone system ready to take over from the first."""

__version__ = "0.1.0"
