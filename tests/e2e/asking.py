"""Asking the agents of a lab over their own sockets, without starting a program for each question."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TypeVar

from beistand.client import Client, has_ended
from beistand.domain.errors import BeistandError
from beistand.domain.job import Job, JobState
from beistand.domain.value import Value
from beistand.protocol import GetStatus, Status
from beistand_lab.appliance import first_process
from beistand_lab.lab import Lab, wait_for

T = TypeVar("T")
SOON_SECONDS = 60.0
ACT_SECONDS = 120.0
SERVING = ("serving", "unverified")
IDLE = ("standing-by", "superseded")
_DEAD = ("agent-gone", "agent-not-running", "agent-silent")
"""What whoever asks a killed agent hears."""


def ask(lab: Lab, host: str, request: Value, answer: type[T], seconds: float = 20.0) -> T:
    with client(lab, host) as connection:
        return connection.call(request, answer, seconds)


def client(lab: Lab, host: str) -> Client:
    """A connection to an agent, through the appliance's own root folder."""
    first = first_process(lab.settings, host)
    return Client(Path(f"/proc/{first}/root/run/beistand/agent.sock"))


def status(lab: Lab, host: str) -> Status | None:
    """What it says of itself; None while it does not answer."""
    with contextlib.suppress(BeistandError):
        return ask(lab, host, GetStatus(), Status)
    return None


def wait_for_state(lab: Lab, host: str, *states: str, seconds: float = SOON_SECONDS) -> None:
    seen = [""]

    def is_so() -> bool:
        found = status(lab, host)
        seen[0] = found.state if found else "silent"
        return seen[0] in states

    wait_for(is_so, seconds, f"{host} to be {states}, which is {seen}")


def wait_until_connected(lab: Lab) -> None:
    """Each hears the other, and nothing is under way."""

    def is_so() -> bool:
        both = [status(lab, host) for host in ("a", "b")]
        return all(each and each.peer and each.peer.connected and each.job is None for each in both)

    wait_for(is_so, SOON_SECONDS, "the two to hear each other")


def followed(lab: Lab, host: str, request: Value) -> bool:
    """Start a job and wait for its end; tell whether it was done. A killed agent ends it, too."""
    try:
        with client(lab, host) as connection:
            job = connection.call(request, Job, 20.0)
            end = time.monotonic() + ACT_SECONDS
            while not has_ended(job) and time.monotonic() < end:
                job = connection.watch(job)
    except BeistandError as error:
        if error.message.code not in _DEAD:
            raise
        return False
    return job.state is JobState.DONE
