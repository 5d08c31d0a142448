"""Sentences for people: the gettext catalogues by code."""

from beistand.text.catalogue import LANGUAGES, hint, language, sentence, term

__all__ = ["LANGUAGES", "hint", "language", "sentence", "term"]
