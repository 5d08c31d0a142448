"""Bulk data into the peer's inbox, by rsync over the pair's channel."""

import os
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from beistand.adapters.commands import follow, last_line, run
from beistand.adapters.rsync_options import client_options, server_request
from beistand.adapters.ssh_line import SshLine
from beistand.domain.errors import BeistandError, CommandFailed, Failed, NoSpace, PeerUnreachable
from beistand.ports.peer import Sent

LONGEST_SECONDS = 24 * 3600.0
"""End of a transfer that still moves; a silent one ends after rsync's own time-out."""
CHECK_SECONDS = 20.0

_PROGRESS = re.compile(r"\s*(\d+)\s+\d+%\s")
_FIGURE = re.compile(r"(Total bytes sent|Total bytes received|Number of regular files transferred): (\d+)")
_SKIPPED = re.compile(r'skipping non-regular file "(.*)"')
_VANISHED = re.compile(r'(?:link_stat|vanished:|open) "(.*?)"')
_PARTIAL, _VANISHED_FILES = 23, 24
_LINK_CODES = (10, 12, 30, 35, 255)
"""Socket, protocol data stream, time-out, and ssh's own failure (rsync(1), EXIT VALUES)."""


class _Report:
    """Reads what rsync prints while it runs."""

    def __init__(self, total: int, progress: Callable[[int, int], None]) -> None:
        self._total = total
        self._progress = progress
        self.figures: dict[str, int] = {}
        self.skipped: list[str] = []

    def line(self, text: str) -> None:
        if match := _PROGRESS.match(text):
            self._progress(min(int(match[1]), self._total), self._total)
        elif match := _FIGURE.match(text):
            self.figures[match[1]] = int(match[2])
        elif match := _SKIPPED.match(text):
            self.skipped.append(match[1])

    @property
    def sent(self) -> Sent:
        figure = self.figures.get
        return Sent(
            files=figure("Number of regular files transferred", 0),
            bytes_on_wire=figure("Total bytes sent", 0) + figure("Total bytes received", 0),
        )


@dataclass(frozen=True)
class Rsync:
    """Sends files into the inbox at the other end of the line."""

    line: SshLine

    def send(
        self,
        source: Path,
        names: Sequence[str],
        folder: str,
        *,
        bandwidth_limit: int,
        cancelled: Event,
        progress: Callable[[int, int], None],
    ) -> Sent:
        """Send regular files into a folder of the peer's inbox, as the port Peer says."""
        if not names:
            return Sent(files=0, bytes_on_wire=0)
        report = _Report(_bytes(source, names), progress)
        output = follow(
            [
                "rsync",
                *client_options(folder, bandwidth_limit),
                f"--rsh={self.line.remote_shell()}",
                f"{source}/",
                f"{self.line.account}@{self.line.server}:{folder}",
            ],
            seconds=LONGEST_SECONDS,
            # `./` first: rsync takes names that begin with # or ; for comments, also with --from0.
            stdin=b"".join(b"./" + os.fsencode(name) + b"\0" for name in names),
            line=report.line,
            cancelled=cancelled,
        )
        if error := _failure(self.line, output.code, output.stderr, report.skipped):
            raise error
        return report.sent


def check_rsync(scratch: Path) -> None:
    """Try the very command line of a transfer on this machine, over no network.

    Security updates of rsync have changed options before. Raises Failed `rsync-changed` with the cause.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        here = Path(name)
        (here / "files").mkdir()
        (here / "try").write_bytes(b"beistand")
        # Stands for ssh: drops the host, tells what the server would be asked for, and runs it here.
        shell = f'sh -c \'shift; cd {here} && echo "$*" >asked; exec "$@"\' sh'
        output = run(
            ["rsync", *client_options("files", 1000), f"--rsh={shell}", f"{here}/", "here:files"],
            seconds=CHECK_SECONDS,
            stdin="./try\0",
            good=tuple(range(256)),
        )
        arrived = here / "files/try"
        if output.code != 0 or not arrived.exists() or arrived.read_bytes() != b"beistand":
            raise Failed("rsync-changed", why=last_line(output.stderr))
        asked = (here / "asked").read_text().strip()
        if server_request(asked) is None:
            raise Failed("rsync-changed", why=asked)


def _bytes(source: Path, names: Sequence[str]) -> int:
    total = 0
    for name in names:
        try:
            total += os.lstat(source / name).st_size
        except FileNotFoundError:
            continue  # rsync will say so
    return total


def _failure(line: SshLine, code: int, complaint: str, skipped: list[str]) -> BeistandError | None:
    """Return what rsync's exit code means, read together with what it said (FIGURES section 8)."""
    if code == 0:
        return Failed("files-vanished", count=len(skipped), first=skipped[0]) if skipped else None
    if "No space left on device" in complaint or "Disk quota exceeded" in complaint:
        return NoSpace("peer-disk-full", server=line.server)
    vanished = _VANISHED.findall(complaint)
    # 23 is also what a file from the list gives that is gone before rsync first looks at it.
    if code == _VANISHED_FILES or (code == _PARTIAL and vanished and "No such file" in complaint):
        return Failed("files-vanished", count=len(vanished), first=vanished[0] if vanished else "")
    if "beistand peer:" in complaint:
        return Failed("transfer-refused", server=line.server, why=_told(complaint))
    if code in _LINK_CODES:
        cause = line.failure(complaint)
        if cause.message.code != "peer-line-lost":
            return cause
        return PeerUnreachable("transfer-interrupted", server=line.server, status=code, why=_told(complaint))
    if code < 0:
        return CommandFailed("command-failed", program="rsync", status=code, why="killed")
    return Failed("transfer-failed", status=code, why=_told(complaint))


def _told(complaint: str) -> str:
    """Return the first line that says something of its own; rsync repeats itself at the end."""
    lines = [each for each in complaint.splitlines() if each.strip()]
    return lines[0].strip()[:300] if lines else ""
