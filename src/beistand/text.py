"""Sentences for people: the gettext catalogues by code."""
