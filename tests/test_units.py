"""What systemd keeps from our units: the figure of `systemd-analyze security` stays where it was tried (D15)."""

import subprocess
from pathlib import Path

import pytest

PACKAGING = Path(__file__).parent.parent / "packaging"
MOST = {
    "beistand-agent.service": 50,
    "beistand-gate.service": 25,
    "beistand-guard.service": 25,
    "beistand-web.service": 20,
}
"""Tenths; an ordinary unit of Debian has 96."""
AGENT = (PACKAGING / "beistand-agent.service").read_text().splitlines()


def test_every_unit_has_its_figure() -> None:
    assert {each.name for each in PACKAGING.glob("*.service")} == {*MOST}


@pytest.mark.parametrize("unit", MOST)
def test_no_unit_may_do_more_than_its_work_needs(unit: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", f"--threshold={MOST[unit]}", PACKAGING / unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.splitlines()[-1:] + done.stderr.splitlines()


@pytest.mark.parametrize(
    "line",
    [
        # Renames of trees cross no mount, and an upgrade of the host name must be seen.
        "ProtectSystem=",
        "ProtectHome=",
        "ReadWritePaths=",
        "ProtectHostname=",
        # It writes promote_secondaries, and readers run before all others for a moment.
        "ProtectKernelTunables=",
        "RestrictRealtime=",
    ],
)
def test_what_would_end_the_agents_work_is_not_switched_on(line: str) -> None:
    assert not [each for each in AGENT if each.startswith(line)]
