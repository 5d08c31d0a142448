"""The guard as systemd starts it: early, without reach, and never why a machine has no network."""

import subprocess
import sys
from pathlib import Path

import pytest

UNIT = (Path(__file__).parents[2] / "packaging/beistand-guard.service").read_text().splitlines()
HEAVY = ("pyroute2", "sqlite3", "django", "click", "yaml", "cryptography", "subprocess")


@pytest.mark.parametrize("manager", ["systemd-networkd", "NetworkManager", "networking"])
def test_it_comes_before_every_manager(manager: str) -> None:
    (before,) = (each for each in UNIT if each.startswith("Before="))
    assert {f"{manager}.service", "network-pre.target"} <= {*before.removeprefix("Before=").split()}
    assert "Wants=network-pre.target" in UNIT


@pytest.mark.parametrize("word", ["Requires=", "RequiredBy=", "BindsTo=", "OnFailure=", "Restart="])
def test_nothing_depends_on_its_success(word: str) -> None:
    assert not any(each.startswith(word) for each in UNIT)


@pytest.mark.parametrize(
    "line", ["TimeoutStartSec=10", "PrivateNetwork=yes", "NoNewPrivileges=yes", "ProtectSystem=strict"]
)
def test_it_has_a_limit_and_no_reach(line: str) -> None:
    assert line in UNIT


def test_it_loads_little() -> None:
    ask = f"import beistand.agent.guard, sys; print([each for each in {HEAVY} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
