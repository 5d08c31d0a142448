"""Beistand keeps a second telephone system ready to take over from the first."""
