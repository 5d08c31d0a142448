"""The units of the telephone system, by systemctl, behind the gate (port `Services`)."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from beistand.adapters.commands import last_line, run
from beistand.adapters.durable_file import remove_durably, write_durably
from beistand.adapters.readers import SHARED, Readers
from beistand.adapters.start_files import StartFiles
from beistand.domain.confinement import confinement
from beistand.domain.errors import CommandFailed, Failed
from beistand.domain.profile import Profile, Service
from beistand.domain.start_options import MOST_LINES

ASK_SECONDS = 10.0
RUNNING = {"active", "reloading"}
STOPPED = {"inactive", "failed"}
DROP_IN = "beistand.conf"
_WHY = "; ".join(
    f'echo "{each}"'
    for each in (
        "Beistand: not started, as this appliance does not serve the phones now. Why, and what to do: beistand status",
        "Beistand: nicht gestartet, diese Anlage bedient die Telefone gerade nicht. Warum und was tun: beistand status",
    )
)
SAYS_WHY = f"{{ {{ {_WHY}; sleep 0.5; }} | systemd-cat -t beistand -p warning; exit 1; }}"
"""For the journal of the unit, past its own standard output: whoever starts it by hand gets no error from systemctl.

The journal looks up the unit of whoever writes to it: who has ended by then belongs to none (seen on a busy machine).
"""
SWITCHED_OFF = {"", "disabled", "masked", "masked-runtime", "not-found"}


class SystemdServices:
    def __init__(
        self,
        gate: Path = Path("/run/beistand/may-serve"),
        units: Path = Path("/etc/systemd/system"),
        readers: Readers = SHARED,
    ) -> None:
        self._start_files = StartFiles(readers)
        self._gate = gate
        self._units = units

    def is_running(self, unit: str) -> bool:
        return _property(unit, "ActiveState") in RUNNING

    def start(self, service: Service) -> None:
        unit = service.unit
        # Earlier failures must not keep it from starting ("start request repeated too quickly"): afterwards
        # nothing tells that they did, the unit's Result is still that of the last real try.
        run(["systemctl", "reset-failed", unit], seconds=ASK_SECONDS, good=(0, 1, 5))
        why = _start(service)
        if not self.is_running(unit) and self._was_gate_closed(unit):
            why = _start(service)
        if not self.is_running(unit):
            raise Failed("service-not-started", unit=unit, why=_cause(unit) or why)

    def stop(self, service: Service) -> None:
        unit = service.unit
        try:
            run(["systemctl", "stop", unit], seconds=service.stop_seconds, good=(0, 5))
        except CommandFailed:
            # Past its time: calls are gone either way, and the address must not come back to a hung PBX.
            run(["systemctl", "kill", "--signal=SIGKILL", unit], seconds=ASK_SECONDS, good=(0, 1, 5))
            run(["systemctl", "stop", unit], seconds=ASK_SECONDS, good=(0, 1, 5))
        state = _property(unit, "ActiveState")
        if state not in STOPPED:
            raise Failed("service-not-stopped", unit=unit, state=state)

    def _was_gate_closed(self, unit: str) -> bool:
        """Tell whether the job of the boot itself was looking at the gate just before it opened."""
        return self.gate_is_open() and _property(unit, "Result") == "exec-condition"

    def open_gate(self) -> None:
        self._gate.parent.mkdir(parents=True, exist_ok=True)
        self._gate.touch(mode=0o644)

    def close_gate(self) -> None:
        self._gate.unlink(missing_ok=True)

    def gate_is_open(self) -> bool:
        return self._gate.exists()

    def install_gate(self, profile: Profile) -> None:
        changed = False
        for service in profile.services:
            file, body = self._drop_in(service), self._body(profile, service)
            if not file.exists() or file.read_bytes() != body:
                write_durably(file, body)
                changed = True
        if changed:
            run(["systemctl", "daemon-reload"], seconds=30)

    def _body(self, profile: Profile, service: Service) -> bytes:
        set_id = next((each for each in service.set_id_programs if _has_set_id(each)), "")
        lines = (
            "# Made by Beistand: this unit runs only on the appliance that holds the service address,",
            "# and writes only to the folders of its profile (docs/profile.md).",
            "[Service]",
            f"ExecCondition=+/bin/sh -c 'test -e {self._gate} || {SAYS_WHY}'",
            *confinement(profile, service, set_id),
        )
        return "".join(f"{each}\n" for each in lines).encode()

    def remove_gate(self, profile: Profile) -> None:
        for service in profile.services:
            # Durably: nobody would ever open a gate that came back with a power cut.
            remove_durably(self._drop_in(service))
        run(["systemctl", "daemon-reload"], seconds=30)

    def ungate(self, unit: str) -> None:
        file = self._drop_in(Service(unit=unit))
        remove_durably(file)
        with suppress(OSError):  # something else lies there, or nothing ever did
            file.parent.rmdir()
        run(["systemctl", "daemon-reload"], seconds=30)

    def gated(self) -> tuple[str, ...]:
        found = self._units.glob(f"*.service.d/{DROP_IN}")  # the peer's slice has one, too
        return tuple(sorted(each.parent.name.removesuffix(".d") for each in found))

    def starts_at_boot(self, unit: str) -> bool:
        output = run(["systemctl", "is-enabled", unit], seconds=ASK_SECONDS, good=(0, 1, 4))
        # Empty: there is no such unit.
        return (output.stdout.strip().splitlines() or [""])[-1] not in SWITCHED_OFF

    def enable(self, unit: str) -> None:
        run(["systemctl", "--quiet", "enable", unit], seconds=30)

    def disable(self, unit: str) -> None:
        run(["systemctl", "--quiet", "disable", unit], seconds=30, good=(0, 1))

    def _drop_in(self, service: Service) -> Path:
        name = service.unit if "." in service.unit else f"{service.unit}.service"
        return self._units / f"{name}.d" / DROP_IN

    def version(self, profile: Profile) -> str:
        try:
            output = run(profile.detect.version_command, seconds=ASK_SECONDS)
        except CommandFailed:
            return ""
        return next((line.strip() for line in output.stdout.splitlines() if line.strip()), "")

    def start_options(self, profile: Profile) -> tuple[str, ...]:
        found: set[str] = set()
        for service in profile.services:
            if service.start_file:
                found.update(self._start_files.options(service.start_file))
        return tuple(sorted(found)[:MOST_LINES])


def _has_set_id(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and bool(mode & (stat.S_ISUID | stat.S_ISGID))


def _start(service: Service) -> str:
    """Start the unit; return what systemctl said where it failed."""
    try:
        run(["systemctl", "start", service.unit], seconds=service.start_seconds)
    except CommandFailed as error:
        return str(error.message.fields.get("why", error.message.code))
    return ""


def _property(unit: str, name: str) -> str:
    output = run(["systemctl", "show", "--property", name, "--value", unit], seconds=ASK_SECONDS)
    return output.stdout.strip()


def _cause(unit: str) -> str:
    """Return the last that the unit itself said before it ended, or how systemd calls its end; empty: nothing ran."""
    try:
        pid = _property(unit, "ExecMainPID")
        own = [f"_PID={pid}"] if pid not in {"", "0"} else []
        output = run(
            ["journalctl", "--unit", unit, "--boot", "--lines", "20", "--output", "cat", "--no-pager", *own],
            seconds=ASK_SECONDS,
        )
    except CommandFailed:
        return ""
    if said := last_line(output.stdout)[:300]:
        return said
    result = _property(unit, "Result")
    return "" if result == "success" else f"{result} {_property(unit, 'ExecMainStatus')}"
