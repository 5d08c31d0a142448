"""What is told to a person: a code and its fields. The sentences live in the catalogue (beistand.text)."""

import re

from beistand.domain.value import Value

Field = str | int | float | bool


class Message(Value, frozen=True, kw_only=True):
    """One thing to tell. Logs print `code key=value`, pages and terminals the sentence and its hint."""

    code: str
    fields: dict[str, Field] = {}

    def __str__(self) -> str:
        return " ".join([self.code, *(f"{key}={_quoted(value)}" for key, value in self.fields.items())])


def message(code: str, **fields: Field) -> Message:
    """Return the message with this code and these fields."""
    return Message(code=code, fields=fields)


def _quoted(value: Field) -> str:
    """Return it so that it can be read back (`unquoted`): a message may be a field of another one."""
    text = str(value)
    if text and not any(each.isspace() or each == '"' for each in text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquoted(text: str) -> str:
    """Return a field's text as it was before it became a part of the log."""
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL) if text[:1] == '"' else text
