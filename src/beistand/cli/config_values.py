"""Values of the module configuration as people type them."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

import msgspec

from beistand.domain.config import ModuleConfig
from beistand.domain.config_check import config_problem
from beistand.domain.errors import Refused
from beistand.domain.schedule import Schedule

GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
SHORT_TIME = re.compile(r"\d{2}:\d{2}")
SCHEDULES = ("schedule", "backup_schedule")
AGENTS_OWN = ("revision", "is_removed")
"""What nobody sets."""


def changed(config: ModuleConfig, assignments: Sequence[tuple[str, str]]) -> ModuleConfig:
    """Return the configuration with these values.

    Raises Refused `config-key-unknown`, `config-value-wrong`, or what `config_problem` finds.
    """
    values: dict[str, Any] = msgspec.to_builtins(config)
    for key, text in assignments:
        name, _, inner = key.partition(".")
        if name not in values or (inner and inner not in _inner_names(name)) or name in AGENTS_OWN:
            raise Refused("config-key-unknown", key=key, known=", ".join(_known()))
        if not inner:
            values[name] = _whole(name, text)
        else:
            part = values[name] or _first_schedule()
            values[name] = {**part, inner: _typed(text)}
    return _checked(values)


def parsed(text: str, name: str) -> ModuleConfig:
    """Return the configuration in a TOML text. Raises Refused `config-file-wrong`, or what `config_problem` finds."""
    try:
        # Not msgspec's own decoder: it refuses a date in quotes, and people write both.
        config = msgspec.convert(tomllib.loads(text), ModuleConfig)
    except (tomllib.TOMLDecodeError, msgspec.MsgspecError) as error:
        raise Refused("config-file-wrong", path=name, why=str(error)) from None
    return _without_problem(config)


def exported(config: ModuleConfig) -> str:
    """Return the configuration as TOML, without what the agent counts itself."""
    values = msgspec.to_builtins(config, builtin_types=(date, time))
    kept = {name: value for name, value in values.items() if value is not None and name not in AGENTS_OWN}
    return msgspec.toml.encode(kept).decode()


def shown(config: ModuleConfig) -> Iterator[tuple[str, str]]:
    """Yield the keys that `set` takes, with their values."""
    for name, value in msgspec.to_builtins(config).items():
        if name == "is_removed":
            continue
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", _text(each)) for inner, each in value.items())
        else:
            yield name, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return "; ".join(str(each) for each in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _whole(name: str, text: str) -> Any:
    if name in SCHEDULES and not text:
        return None
    if name == "replug":
        return [each.strip() for each in text.split(";") if each.strip()]
    return _typed(text)


def _typed(text: str) -> str:
    if match := GERMAN_DATE.fullmatch(text):
        day, month, year = match.groups()
        return f"{year}-{int(month):02}-{int(day):02}"
    return f"{text}:00" if SHORT_TIME.fullmatch(text) else text


def _first_schedule() -> dict[str, Any]:
    """Return what stands where only a part of a new schedule was given: every day from today's midnight on."""
    today = datetime.now().astimezone().date()
    return {"interval": "day", "every": 1, "start": today.isoformat(), "at": "00:00:00"}


def _inner_names(name: str) -> tuple[str, ...]:
    if name in SCHEDULES:
        return tuple(each.name for each in msgspec.structs.fields(Schedule))
    return ("user", "server") if name == "standby" else ()


def _known() -> list[str]:
    names = [each.name for each in msgspec.structs.fields(ModuleConfig) if each.name not in AGENTS_OWN]
    return [full for name in names for full in ([f"{name}.{each}" for each in _inner_names(name)] or [name])]


def _checked(values: dict[str, Any]) -> ModuleConfig:
    try:
        config = msgspec.convert(values, ModuleConfig, strict=False)
    except msgspec.MsgspecError as error:
        raise Refused("config-value-wrong", why=str(error)) from None
    return _without_problem(config)


def _without_problem(config: ModuleConfig) -> ModuleConfig:
    if problem := config_problem(config):
        raise Refused(problem.code, **problem.fields)
    return config
