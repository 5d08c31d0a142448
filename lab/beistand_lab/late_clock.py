"""A clock that is behind, for Beistand's agent alone: all appliances share the kernel's with this machine."""

from __future__ import annotations

from datetime import timedelta

from beistand_lab.lab import Lab

_LIBRARY = "/usr/local/lib/lab-late-clock"
_FOLDER = "/etc/systemd/system/beistand-agent.service.d"
_DROP_IN = f"{_FOLDER}/lab-late-clock.conf"
_STARTED_FIRST = """# Python begins with this (module site): the time of day is behind, waits and time limits are real.
from datetime import timedelta

from beistand.adapters.clock import SystemClock

_now = SystemClock.now
SystemClock.now = lambda clock: _now(clock) - timedelta(seconds=SECONDS)
"""
_PASSED = """# Python begins with this (module site): the machine has been up for longer than it has.
from beistand.adapters.clock import SystemClock

_monotonic = SystemClock.monotonic
SystemClock.monotonic = lambda clock: _monotonic(clock) + SECONDS
"""


def set_back(lab: Lab, host: str, behind: timedelta) -> None:
    """Let the agent of an appliance that is on live so long ago, until `set_right`; it is restarted here."""
    lab.sh(host, ["mkdir", "-p", _LIBRARY, _FOLDER])
    text = _STARTED_FIRST.replace("SECONDS", f"{behind.total_seconds():.0f}")
    lab.copy_in(host, f"{_LIBRARY}/sitecustomize.py", text)
    lab.copy_in(host, _DROP_IN, f"[Service]\nEnvironment=PYTHONPATH={_LIBRARY}\n")
    lab.sh(host, ["systemctl", "daemon-reload"])
    lab.sh(host, ["systemctl", "restart", "beistand-agent"])


def let_pass(lab: Lab, host: str, passed: timedelta) -> None:
    """Let the agent of an appliance find that so much more time has passed since it was booted, until `set_right`.

    It is restarted here: what it noted before is older now. Nothing waits any less than it says.
    """
    lab.sh(host, ["mkdir", "-p", _LIBRARY, _FOLDER])
    text = _PASSED.replace("SECONDS", f"{passed.total_seconds():.0f}")
    lab.copy_in(host, f"{_LIBRARY}/sitecustomize.py", text)
    lab.copy_in(host, _DROP_IN, f"[Service]\nEnvironment=PYTHONPATH={_LIBRARY}\n")
    lab.sh(host, ["systemctl", "daemon-reload"])
    lab.sh(host, ["systemctl", "restart", "beistand-agent"])


def set_right(lab: Lab, host: str) -> None:
    """Let the agent of an appliance that is off wake up in the present."""
    lab.copy_in(host, _DROP_IN, "")
