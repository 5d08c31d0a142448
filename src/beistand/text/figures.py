"""Durations, sizes, numbers and moments, as people of each language write them."""

from collections.abc import Callable
from datetime import date, datetime
from math import isfinite
from typing import Any

_UNITS = {
    "en": (("day", "days"), ("hour", "hours"), ("minute", "minutes"), ("second", "seconds")),
    "de": (("Tag", "Tage"), ("Stunde", "Stunden"), ("Minute", "Minuten"), ("Sekunde", "Sekunden")),
}
_SECONDS = (86400, 3600, 60, 1)
_WEEKDAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
}
_DECIMAL_MARK = {"en": ".", "de": ","}
_THOUSANDS_MARK = {"en": ",", "de": "."}


def duration(seconds: Any, language: str) -> str:
    """Return the two largest units: `2 hours 5 minutes`; below ten seconds with tenths. What is no time, as it is."""
    seconds = float(seconds)
    if not isfinite(seconds):
        return str(seconds)
    if abs(seconds) < 10:
        text = f"{seconds:.1f}".removesuffix(".0").replace(".", _DECIMAL_MARK[language])
        return f"{text} {_UNITS[language][3][text != '1']}"
    rest, parts = round(abs(seconds)), []
    for unit, size in zip(_UNITS[language], _SECONDS, strict=True):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit[count != 1]}")
        elif parts:
            break
    return ("-" if seconds < 0 else "") + " ".join(parts[:2])


def span(seconds: Any, language: str) -> str:
    """Return the duration as it stands after `since` and `ago`: German says `seit 3 Tagen`."""
    text = duration(seconds, language)
    return text.replace("Tage", "Tagen") if language == "de" else text


def size(count: Any, language: str) -> str:
    """Return bytes in the largest decimal unit: `1.4 GB`."""
    value, units = float(count), ["TB", "GB", "MB", "kB", "bytes"]
    while abs(value) >= 999.5 and len(units) > 1:
        value /= 1000
        units.pop()
    unit = units[-1]
    text = f"{value:.0f}" if unit == "bytes" or abs(value) >= 100 else f"{value:.1f}"
    name = "Bytes" if unit == "bytes" and language == "de" else unit
    return f"{text.replace('.', _DECIMAL_MARK[language])} {name}"


def number(value: Any, language: str) -> str:
    """Return a number with its thousands apart."""
    whole = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
    marks = str.maketrans({",": _THOUSANDS_MARK[language], ".": _DECIMAL_MARK[language]})
    return whole.translate(marks)


def moment(value: Any, language: str) -> str:
    """Return an ISO 8601 time in the machine's local time; what is none, as it is."""
    try:
        when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        when = when.astimezone() if when.tzinfo is not None else when
    except (ValueError, OverflowError):  # the first and the last day of all have no other zone
        return str(value)
    return when.strftime("%d.%m.%Y %H:%M:%S" if language == "de" else "%Y-%m-%d %H:%M:%S")


def minute(value: Any, language: str) -> str:
    """Return an ISO 8601 time without its seconds; what is none, as it is."""
    text = moment(value, language)
    return text.removesuffix(text[-3:]) if text[-3:-2] == ":" else text


def day(value: Any, language: str) -> str:
    """Return an ISO 8601 date; what is none, as it is."""
    try:
        when = date.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return when.strftime("%d.%m.%Y" if language == "de" else "%Y-%m-%d")


def weekday(value: Any, language: str) -> str:
    """Return the name of the day of the week of an ISO 8601 date or time; what is none, as it is."""
    try:
        return _WEEKDAYS[language][datetime.fromisoformat(str(value)).weekday()]
    except ValueError:
        return str(value)


FIGURES: dict[str, Callable[[Any, str], str]] = {
    "duration": duration,
    "span": span,
    "bytes": size,
    "number": number,
    "moment": moment,
    "minute": minute,
    "day": day,
    "weekday": weekday,
}
