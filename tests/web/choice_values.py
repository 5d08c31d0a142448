"""Statuses that wait for a person: two histories, and what each recorded; a setup, a takeover."""

from datetime import timedelta

import msgspec

from beistand.domain.choices import Predicament, choices, job_choices, setup_choices
from beistand.domain.finding import Finding, Severity
from beistand.domain.fork import Counted, History, Recorded
from beistand.domain.job import Job, JobKind
from beistand.domain.message import message
from beistand.domain.setup import Stage
from fakes.situations import NOW, A, B
from web import page_values, scenes


def history(host: str, node: str, calls: int) -> History:
    return History(
        host=host,
        node=node,
        epoch=3,
        operator="anna",
        at=NOW,
        since=NOW,
        recorded=Recorded(
            records=(Counted(kind="calls", count=calls), Counted(kind="voicemail", count=0)),
            files=5,
            bytes=20_480,
            newest=NOW + timedelta(minutes=20),
        ),
    )


FORKED = msgspec.structs.replace(
    scenes.ACTIVE,
    state="forked",
    choices=choices(Predicament(state="forked", serving=True)),
    histories=(history("pbx-a", A, 12), history("pbx-b", B, 3)),
)

SETUP_WAITS = msgspec.structs.replace(
    page_values.ALONE,
    findings=(
        Finding(
            code="setup-waits",
            severity=Severity.CONFIRM,
            fields={"address": "192.0.2.1", "seconds": 84.2},
        ),
    ),
    choices=setup_choices(Stage.WAITING),
)
UNDONE = str(message("setup-unconfirmed", address="192.0.2.1", seconds=120.0))
SETUP_UNDONE = msgspec.structs.replace(
    page_values.FRESH,
    findings=(Finding(code="setup-undone", severity=Severity.WARN, fields={"why": UNDONE}),),
)
DEAD = str(message("setup-pbx-not-started", unit="asterisk.service", why="Address already in use"))
SETUP_STUCK = msgspec.structs.replace(
    page_values.FRESH,
    findings=(
        Finding(code="setup-undo-fails", severity=Severity.BLOCK, fields={"why": DEAD, "seconds": 10.0}),
        Finding(code="setup-undoing", severity=Severity.WARN, fields={"seconds": 10.0}),
    ),
    choices=setup_choices(Stage.UNDOING),
)
SILENCE = Job(id="7", kind=JobKind.TAKEOVER, stage="await-silence", begin=NOW)
AWAITS_SILENCE = msgspec.structs.replace(scenes.STANDBY, job=SILENCE, choices=job_choices(SILENCE))
