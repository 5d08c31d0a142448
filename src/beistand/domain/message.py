"""What is told to a person: a code and its fields. The sentences live in the catalogue (beistand.text)."""

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
    text = str(value)
    return f'"{text}"' if " " in text or not text else text
