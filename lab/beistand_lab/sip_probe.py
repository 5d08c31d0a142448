"""An observer that asks a PBX over SIP whether it is there, every 20 ms, from the mail host.

Runs as a process of its own: `python -m beistand_lab.sip_probe OWN_ADDRESS ADDRESS FILE`. Any SIP answer counts,
401 as well as 200: it is Asterisk's way to say that it is up.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from beistand_lab import commands, control_groups, network
from beistand_lab.commands import wait_for
from beistand_lab.settings import Settings
from beistand_lab.silence import Question, longest_silence

PERIOD = 0.02


class SipProbe:
    """Asks from its making on until `stop`; answers are kept with their times."""

    def __init__(self, settings: Settings, address: str) -> None:
        number = len(list(settings.folder.glob("probe-*.jsonl")))
        self.address = address
        self._file = settings.folder / f"probe-{number}.jsonl"
        self._file.touch()
        module = [sys.executable, "-m", "beistand_lab.sip_probe"]
        argv = [*module, settings.address("m"), address, str(self._file)]
        line = network.inside(settings, "m", argv)
        self._group = f"{control_groups.group_name(settings.name)}/{self._file.stem}"
        control_groups.create(self._group)
        commands.start(line, group=self._group, log=settings.folder / "probe.log")
        wait_for(lambda: self._file.stat().st_size > 0, 60, "the SIP probe to begin")

    def answers(self) -> list[tuple[float, float]]:
        """(asked, answered) in epoch seconds, for each question that was answered, in order of the answers."""
        return [(asked, answered) for asked, answered in self._questions() if answered is not None]

    def first_answer(self, after: float, seconds: float = 30) -> float:
        """When the first question asked later than `after` was answered; waits so long for it."""

        def answered() -> float:
            return next((end for begin, end in self.answers() if begin >= after), 0.0)

        return wait_for(answered, seconds, f"a SIP answer from {self.address}")

    def longest_silence(self, begin: float, end: float) -> float:
        """Seconds between two epoch times in which a question waited for an answer, at most."""
        questions = self._questions()
        last = max((answered for _, answered in questions if answered is not None), default=begin)
        # What is open since the last answer is told with the next one.
        return longest_silence([*questions, (last, None)], begin, end)

    def _questions(self) -> list[Question]:
        lines = self._file.read_text().splitlines()
        rows = [json.loads(line) for line in lines if line.endswith("]")]
        return [(row[0], row[1]) for row in rows if row]

    def stop(self) -> None:
        """Asks no more; what was answered stays readable."""
        control_groups.kill(self._group)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def options(own: str, port: int, target: str, serial: int) -> bytes:
    """One SIP OPTIONS request (RFC 3261 section 11) from a stranger."""
    return (
        f"OPTIONS sip:{target} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {own}:{port};branch=z9hG4bKprobe{serial};rport\r\n"
        f"Max-Forwards: 70\r\n"
        f"From: <sip:probe@{own}>;tag=probe{serial}\r\n"
        f"To: <sip:{target}>\r\n"
        f"Call-ID: probe-{serial}@{own}\r\n"
        f"CSeq: 1 OPTIONS\r\n"
        f"Contact: <sip:probe@{own}:{port}>\r\n"
        f"Content-Length: 0\r\n\r\n"
    ).encode()


def main() -> None:
    """Asks for ever; an empty list at the begin, then a line for each answer, and for what was not answered before."""
    os.nice(-15)  # it must not be late itself
    own, target, file = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    asked: dict[int, float] = {}
    serial = time.time_ns() // 1_000_000
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, file.open("a", buffering=1) as out:
        probe.bind((own, 0))
        probe.setblocking(False)
        out.write("[]\n")
        due = time.monotonic()
        while True:
            serial += 1
            asked[serial] = time.time()
            # No route, no neighbour, no buffer: all of them mean that nobody answers yet.
            with contextlib.suppress(OSError):
                probe.sendto(options(own, probe.getsockname()[1], target, serial), (target, 5060))
            due = max(due + PERIOD, time.monotonic() - 1)
            while (left := due - time.monotonic()) > 0:
                if select.select([probe], [], [], left)[0]:
                    _take_answer(probe, target, asked, out.write)


def _take_answer(probe: socket.socket, target: str, asked: dict[int, float], write: object) -> None:
    assert callable(write)
    try:
        data, (sender, _) = probe.recvfrom(65536)
    except OSError:  # an ICMP error of an earlier question
        return
    now = time.time()
    for line in data.split(b"\r\n"):
        if line.lower().startswith(b"call-id:") and sender == target and data.startswith(b"SIP/2.0 "):
            serial = int(line.split(b"probe-")[1].split(b"@")[0])
            for lost in [each for each in asked if each < serial]:
                write(json.dumps([asked.pop(lost), None]) + "\n")
            write(json.dumps([asked.pop(serial, now), now]) + "\n")


if __name__ == "__main__":
    main()
