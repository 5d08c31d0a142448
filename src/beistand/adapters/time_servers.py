"""Which time servers this machine asks, as the configuration of its time service names them (port `TimeServers`)."""

import re
from collections.abc import Iterator
from pathlib import Path

LARGEST_FILE = 256 * 1024
_TIMESYNCD = ("etc/systemd/timesyncd.conf", "etc/systemd/timesyncd.conf.d/*.conf")
_CHRONY = (
    "etc/chrony/chrony.conf",
    "etc/chrony/conf.d/*.conf",
    "etc/chrony/sources.d/*.sources",
    "etc/chrony.conf",
)
_NTP = ("etc/ntpsec/ntp.conf", "etc/ntp.conf", "etc/openntpd/ntpd.conf")
_SERVER = re.compile(r"\s*(?:server|servers|pool|peer)\s+(\S+)")
_NTP_LINE = re.compile(r"\s*NTP\s*=(.*)")


class TimeServerFiles:
    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def list(self) -> tuple[str, ...]:
        """Ask chrony's and ntpd's files first: where one of them is installed, systemd-timesyncd is not used."""
        for files in (_CHRONY, _NTP):
            if found := [match[1] for line in self._lines(files) if (match := _SERVER.match(line))]:
                return tuple(dict.fromkeys(found))
        named: list[str] = []
        for line in self._lines(_TIMESYNCD):
            if match := _NTP_LINE.match(line):
                # An empty assignment clears what stood before (timesyncd.conf(5)).
                named = [*named, *match[1].split()] if match[1].strip() else []
        return tuple(dict.fromkeys(named))

    def _lines(self, globs: tuple[str, ...]) -> Iterator[str]:
        for each in globs:
            for file in sorted(self._root.glob(each)):
                try:
                    if file.stat().st_size <= LARGEST_FILE:
                        yield from file.read_text(errors="replace").splitlines()
                except OSError:
                    continue
