"""When something runs, as people enter it (S9, S14): Timer-Intervall, Wiederhole alle, Start, Zeit."""

from datetime import datetime, time, tzinfo
from typing import Any

from django import forms

from beistand.domain.config_check import schedule_problem, schedules_meet
from beistand.domain.message import Field, Message, message
from beistand.domain.schedule import Interval, Schedule, next_run
from beistand.web.forms.refusals import tell_at
from beistand.web.telling import label

DATE_FORMS = ("%Y-%m-%d", "%d.%m.%Y", "%d:%m:%Y", "%d/%m/%Y")
"""What the date field of a browser sends, and what people type."""
TIME_FORMS = ("%H:%M", "%H:%M:%S", "%H.%M")
MOST_INTERVALS = 1000
NEXT_RUNS = 5


class ScheduleForm(forms.Form):
    """The four fields of a schedule; all are read only where an interval was chosen.

    `schedule` is what was entered, None: by hand only. A start that was changed must not lie
    before the day of `now`, which is local time.
    """

    usual_time = time(1, 0)
    """What stands in the form as long as nobody has chosen when."""

    interval = forms.ChoiceField(
        label=label("web.schedule.interval"),
        help_text=label("web.schedule.interval.help"),
        required=False,
        choices=[
            ("", label("web.schedule.never")),
            *((each.value, label(f"web.schedule.interval.{each.value}")) for each in Interval),
        ],
    )
    every = forms.IntegerField(
        label=label("web.schedule.every"),
        help_text=label("web.schedule.every.help"),
        required=False,
        initial=1,
        min_value=1,
        max_value=MOST_INTERVALS,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), label("web.schedule.every.wrong")
        ),
    )
    start = forms.DateField(
        label=label("web.schedule.start"),
        help_text=label("web.schedule.start.help"),
        required=False,
        input_formats=DATE_FORMS,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": label("web.schedule.start.wrong")},
    )
    at = forms.TimeField(
        label=label("web.schedule.at"),
        help_text=label("web.schedule.at.help"),
        required=False,
        input_formats=TIME_FORMS,
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        error_messages={"invalid": label("web.schedule.at.wrong")},
    )

    def __init__(self, data: Any = None, *, saved: Schedule | None, now: datetime, **more: Any) -> None:
        initial = {**_initial(saved, now, self.usual_time), **more.pop("initial", {})}
        super().__init__(data, initial=initial, **more)
        self.schedule: Schedule | None = saved
        self._saved, self._now = saved, now

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        self.schedule = None
        if "interval" not in given or not given["interval"]:
            return given
        if self._has_gaps(given):
            return given
        self.schedule = Schedule(
            interval=Interval(given["interval"]), every=given["every"], start=given["start"], at=given["at"]
        )
        if problem := schedule_problem(self.schedule) or self._past():
            tell_at(self, problem)
        return given

    def _has_gaps(self, given: dict[str, Any]) -> bool:
        for name in ("every", "start", "at"):
            if name in given and given[name] is None:
                self.add_error(name, label(f"web.schedule.{name}.wrong"))
        return any(given.get(name) is None for name in ("every", "start", "at"))

    def _past(self) -> Message | None:
        """A start that nobody touched may lie behind: it only counts the runs."""
        assert self.schedule is not None
        start, today = self.schedule.start, self._now.date()
        if start >= today or (self._saved and self._saved.start == start):
            return None
        return message("schedule-start-past", start=start.isoformat(), today=today.isoformat())


def meet_problem(form: ScheduleForm, other: Schedule | None) -> Message | None:
    """Return what is wrong where the entered schedule ever meets the other one (S12)."""
    if form.schedule and other and schedules_meet(form.schedule, other):
        return message("schedules-meet")
    return None


def next_runs(schedule: Schedule | None, now: datetime, zone: tzinfo) -> list[datetime]:
    """Return the next five scheduled moments, in local time."""
    runs: list[datetime] = []
    while schedule and len(runs) < NEXT_RUNS:
        runs.append(next_run(schedule, runs[-1] if runs else now, zone))
    return [each.astimezone(zone) for each in runs]


def rhythm(schedule: Schedule | None) -> Message:
    """Return the schedule in words."""
    if schedule is None:
        return message("web.schedule.words.never")
    fields: dict[str, Field] = {"at": schedule.at.strftime("%H:%M"), "every": schedule.every}
    kind = schedule.interval.value
    is_counted = schedule.interval in (Interval.MINUTE, Interval.HOUR)
    start = datetime.combine(schedule.start, schedule.at) if is_counted else schedule.start
    fields |= {"start": start.isoformat(), "day": schedule.start.day}
    number = "one" if schedule.every == 1 else "many"
    return Message(code=f"web.schedule.words.{kind}.{number}", fields=fields)


def _initial(saved: Schedule | None, now: datetime, usual_time: time) -> dict[str, Any]:
    if saved is None:
        return {"start": now.date(), "at": usual_time}
    return {"interval": saved.interval.value, "every": saved.every, "start": saved.start, "at": saved.at}
