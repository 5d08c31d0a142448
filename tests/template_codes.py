"""Collects from the templates of the pages every code that is said, with the fields that come with it."""

import re
from collections.abc import Iterator
from enum import StrEnum

from beistand.domain.account import AccountRole
from beistand.domain.job import JobKind
from beistand.domain.update import StepState
from source_codes import SOURCES, Use

UPDATE_STEPS = ("pause", "standby", "active", "compare", "resume")
TEMPLATES = SOURCES / "web" / "templates"
WORDS: dict[str, type[StrEnum] | tuple[str, ...]] = {
    "web.jobs.kind": JobKind,
    "web.role": AccountRole,
    "web.step": ("done", "now", "failed", "open"),
    "web.overview.step": ("taken", "transferred", "verified", "imported", "proven"),
    "state": ("starting",),
    "update.step": UPDATE_STEPS,
    "update.hint": UPDATE_STEPS,
    "update.state": StepState,
}
"""Beside those of source_codes: what `{{ value|word:"prefix" }}` may be given."""
_SAY = re.compile(r"""\{%\s*say\s+"(?P<code>[^"]+)"(?P<fields>[^%]*)%\}""")
_FIELD = re.compile(r"""(\w+)=""")
_WORD = re.compile(r"""\|word:"([^"]+)\"""")
_CODE = re.compile(r""""(web\.[a-z0-9.-]*[a-z0-9])\"""")


def template_uses() -> Iterator[Use]:
    for path in sorted(TEMPLATES.rglob("*.html")):
        text = re.sub(r"\{#.*?#\}", "", path.read_text())
        place = f"web/templates/{path.relative_to(TEMPLATES)}"
        prefixes = set(_WORD.findall(text))
        for said in _SAY.finditer(text):
            yield Use(place, said["code"], frozenset(_FIELD.findall(said["fields"])))
        for code in _CODE.findall(text):
            # Handed to a part that says it.
            if code not in prefixes:
                yield Use(place, code, None)
    for prefix, values in WORDS.items():
        names = values if isinstance(values, tuple) else tuple(each.value for each in values)
        yield from (Use("word", f"{prefix}.{name}", frozenset()) for name in names)


def word_prefixes() -> set[str]:
    """Return the prefixes of all codes that are put together from a value."""
    return {
        prefix
        for path in TEMPLATES.rglob("*.html")
        for prefix in _WORD.findall(re.sub(r"\{#.*?#\}", "", path.read_text()))
    }
