"""Every wait that a person sees, with its end: until when, and what happens then. `until.<code>` says it in words."""

from collections.abc import Mapping

from beistand.domain.boot import FORK_LIMIT, LONGEST_WAIT
from beistand.domain.job import Job
from beistand.domain.message import Message, message
from beistand.domain.role import Role

STALLED_SECONDS = 120
"""A transfer that moves no byte for so long fails."""
UNPLUG_SECONDS = 120
ANSWER_SECONDS = 20
"""For a question to the other appliance."""
RELEASE_SECONDS = 60
"""For an act of the other appliance: stopping its PBX, looking at its disks."""
LOG_IN_SECONDS = 60
CONNECT_BACK_SECONDS = 30
PROBE_SECONDS = 1
RETRY_SECONDS = 30
MANY_FILES = 100_000
MOVE_SECONDS = 10
"""For so many files that changed, each renamed twice; measured, see `torture/huge.py`. A slow disk takes longer."""
START_SECONDS = 80
"""For a telephone system whose profile says nothing else, and its first answer."""

STAGES: Mapping[str, Message] = {
    "ask-peer-to-release": message("until.undone", seconds=RELEASE_SECONDS),
    "await-silence": message("until.undone", seconds=UNPLUG_SECONDS),
    "fast-probe": message("until.undone", seconds=PROBE_SECONDS),
    "end-import": message("until.import-ended", files=MANY_FILES, seconds=MOVE_SECONDS),
    "make-data-ready": message("until.data-ready", files=MANY_FILES, seconds=MOVE_SECONDS),
    "serve": message("until.started", seconds=START_SECONDS),
    "connect": message("until.failed", seconds=ANSWER_SECONDS),
    "offer": message("until.failed", seconds=RELEASE_SECONDS),
    "introduce": message("until.failed", seconds=LOG_IN_SECONDS),
    "hear-back": message("until.failed", seconds=CONNECT_BACK_SECONDS),
    "transfer": message("until.stalled", seconds=STALLED_SECONDS),
    "scan": message("until.data"),
    "databases": message("until.data"),
    "pack": message("until.data"),
    "inspect": message("until.data"),
    "check": message("until.data"),
    "verify": message("until.data"),
    "import": message("until.data"),
    "take-back": message("until.taken-back", files=MANY_FILES, seconds=MOVE_SECONDS),
    "undo": message("until.undo", seconds=RELEASE_SECONDS),
}
"""By the stage of a job. `until.data`: nobody is waited for, it takes as long as there is data."""

STATES: Mapping[str, Message] = {
    "recovering": message(
        "until.recovered", files=MANY_FILES, seconds=MOVE_SECONDS, asked_seconds=RELEASE_SECONDS
    ),
    "starting": message("until.looked"),
    "checking": message("until.waited", seconds=LONGEST_WAIT.total_seconds()),
    "held": message("until.heard"),
    "released": message("until.given-back"),
    "unverified": message("until.agreed", seconds=FORK_LIMIT.total_seconds()),
    "active-failed": message("until.retried", seconds=RETRY_SECONDS),
    "superseded": message("until.person"),
    "forked": message("until.person"),
    "out-of-order": message("until.mended"),
}
"""By the state of an appliance; one that serves or stands by waits for nothing."""


def until(job: Job) -> Message | None:
    """Return how long the present stage of a job may last, and what then; None between two stages."""
    end = STAGES.get(job.stage)
    if end is None or not job.within_seconds:
        return end
    return message(end.code, **{**end.fields, "seconds": job.within_seconds})


def until_state(state: str, role: Role | None) -> Message | None:
    """Return how long a state lasts, and what ends it; None where nothing is waited for."""
    state = "starting" if state == "not-initialised" and role else state
    return STATES.get(state)
