"""An appliance's power switch, and the way into it: systemd-nspawn boots systemd as its PID 1."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from pathlib import Path

from beistand_lab import commands, control_groups, network
from beistand_lab.commands import wait_for
from beistand_lab.errors import LabError
from beistand_lab.settings import MACHINES, Settings

GUEST_ENVIRONMENT = ["env", "-i", *(f"{key}={value}" for key, value in commands.ENVIRONMENT.items())]

# /proc/sys/net stays writable, as on a real machine, and the rest of /proc/sys and /sys read-only:
# that keeps udev out, and the appliance's settings off this machine's.
_NSPAWN = ("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1", "SYSTEMD_NSPAWN_API_VFS_WRITABLE=network", "systemd-nspawn")


def switch_on(settings: Settings, appliance: str) -> None:
    """Power on; returns at once. `wait_until_up` waits for its sshd."""
    _check(appliance)
    if is_on(settings, appliance):
        raise LabError(f"{appliance} is on already", f"beistand-lab off {appliance}")
    root = settings.root(appliance)
    group = _group(settings, appliance)
    control_groups.create(group)
    network.plug_in(settings, appliance)
    argv = [
        *["env", *_NSPAWN, "--quiet", "--directory", str(root)],
        *[
            "--boot",
            "--register=no",
            "--keep-unit",
            f"--network-namespace-path={settings.namespace(appliance)}",
        ],
        f"--machine={settings.name}-{appliance}",
        "--capability=CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYS_NICE",
        *["--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=pipe"],
    ]
    commands.start(argv, group=group, log=settings.folder / appliance / "console.log")


def wait_until_up(settings: Settings, appliance: str, seconds: float = 60) -> None:
    """Returns when the appliance's sshd answers on its own address; LabError with its console after that."""
    console = settings.folder / appliance / "console.log"

    def answers() -> bool:
        with network.open_socket(settings.namespace("sw"), socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.settimeout(1)
            try:
                probe.connect((settings.address(appliance), 22))
                return probe.recv(7) == b"SSH-2.0"
            except OSError:
                if not control_groups.processes(_group(settings, appliance)):
                    said = console.read_text(errors="replace").strip().splitlines()[-3:]
                    raise LabError(f"{appliance} died while booting: {' | '.join(said)}") from None
                return False

    wait_for(answers, seconds, f"sshd of appliance {appliance}; its console: {console}")


def switch_off(settings: Settings, appliance: str) -> None:
    """Pulls the power cord: the cable is dead first, so that no FIN and no RST gets out, then every
    process ends at once.
    """
    _check(appliance)
    if not is_on(settings, appliance):
        raise LabError(f"{appliance} is off already", f"beistand-lab on {appliance}")
    network.set_port(settings, appliance, up=False)
    # Where it died by itself, what is left goes with the group.
    with contextlib.suppress(LabError, ProcessLookupError):
        os.kill(first_process(settings, appliance), signal.SIGKILL)
    control_groups.kill(_group(settings, appliance))
    network.unplug(settings, appliance)


def is_on(settings: Settings, appliance: str) -> bool:
    return settings.namespace(appliance).exists()


def first_process(settings: Settings, appliance: str) -> int:
    """The appliance's PID 1, as a process id of this machine; LabError when it is off."""
    _check(appliance)
    group = _group(settings, appliance)
    first = control_groups.hierarchies()[0]
    # systemd moves itself into init.scope; just after power on it is still in the payload itself.
    for folder in ("payload/init.scope", "payload", ""):
        try:
            pids = (first / group / folder / "cgroup.procs").read_text().split()
        except OSError:
            continue
        for pid in pids:
            if _is_first(pid):
                return int(pid)
    raise LabError(f"appliance {appliance} is off", f"beistand-lab on {appliance}")


def entering(settings: Settings, appliance: str, argv: list[str]) -> list[str]:
    """The command line that runs `argv` as root inside an appliance that is on."""
    target = str(first_process(settings, appliance))
    spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wdns=/"]
    return ["nsenter", "--target", target, *spaces, *GUEST_ENVIRONMENT, *argv]


def on_the_disk(settings: Settings, appliance: str, argv: list[str]) -> list[str]:
    """The command line that runs `argv` in the root of an appliance, on or off."""
    if is_on(settings, appliance):
        return entering(settings, appliance, argv)
    return ["chroot", str(settings.root(appliance)), *GUEST_ENVIRONMENT, *argv]


def _group(settings: Settings, appliance: str) -> str:
    return f"{control_groups.group_name(settings.name)}/{appliance}"


def _is_first(pid: str) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    own = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
    return len(own) > 1 and own[-1] == "1"


def _check(appliance: str) -> None:
    if appliance not in MACHINES:
        raise LabError(f"{appliance} is not an appliance", "a and b are")
