"""When a cycle is due (S9): Timer-Intervall, Wiederhole alle N, Start, Zeit."""

from datetime import date, time
from enum import StrEnum
from typing import Annotated

import msgspec

from beistand.domain.value import Value


class Interval(StrEnum):
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Schedule(Value, frozen=True, kw_only=True):
    """Every `every` intervals from the local date `start` at the local time `at`."""

    interval: Interval = Interval.DAY
    every: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    start: date
    at: time
