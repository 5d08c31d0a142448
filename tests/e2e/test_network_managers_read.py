"""The readers against the managers themselves: whatever address comes up was told, and the guard keeps it off."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from beistand.adapters.network_files import SystemNetworkFiles
from beistand.domain.installation import Installation, ServiceAddress
from beistand.operations.guarding import hold_back
from e2e import reading_managers
from e2e.conftest import require_root
from fuzz import network_file_grammar as grammar

pytestmark = pytest.mark.lab

SERVICE = grammar.SERVICE
INSTALLATION = Installation(
    interface="eth0",
    own_address=f"{grammar.OWN}/24",
    service_addresses=(ServiceAddress(address=SERVICE, interface="eth0"),),
    profile="asterisk",
)
Files = dict[str, str]
Brings = Callable[[Path], set[str]]


class Machine:
    """Files in a folder, and the manager that reads them."""

    def __init__(self, place: Path, brings: Brings) -> None:
        self._place, self._brings, self._numbers = place, brings, itertools.count()

    def check(self, files: Files) -> bool:
        """See that no address comes up untold, none after the guard, and the own one stays; return whether one came."""
        root = self._place / str(next(self._numbers))
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(text.encode())
            (root / path).chmod(0o644 if "systemd" in path else 0o600)
        ours = SystemNetworkFiles(root)
        before = self._brings(root)
        came = SERVICE in before
        told = ours.naming([SERVICE])
        assert told or not came, f"untold: {files}"
        has_own = bool(ours.naming([grammar.OWN]))
        note = hold_back(ours, INSTALLATION, lambda file: "/kept")
        if came and not note.passed:
            left = self._brings(root)
            assert SERVICE not in left, f"not held back: {files} -> {_texts(root, files)}"
            stays = grammar.OWN in before or not has_own
            assert not stays or grammar.OWN in left, f"no network: {files} -> {_texts(root, files)}"
        shutil.rmtree(root)
        return came


def _texts(root: Path, files: Files) -> list[str]:
    return [(root / path).read_text(errors="replace") for path in files]


KINDS: dict[
    str, tuple[Callable[[Path, Path, Path], set[str]], tuple[str, ...], st.SearchStrategy[Files], int]
] = {
    "ifupdown": (reading_managers.ifupdown, (), grammar.interfaces(), 25),
    "ifupdown-ng": (reading_managers.ifupdown, ("ifupdown-ng",), grammar.interfaces(), 25),
    "networkd": (reading_managers.networkd, (), grammar.network(), 8),
    "networkmanager": (reading_managers.network_manager, (), grammar.profile(), 40),
    "netplan": (reading_managers.netplan, (), grammar.plan(), 40),
}
"""The manager, its packages where they are none of the lab's, its files, and how many of them are tried."""


@pytest.mark.shows("F19")
@pytest.mark.parametrize("kind", KINDS)
def test_no_address_comes_up_that_was_not_told(tmp_path: Path, kind: str) -> None:
    """F19: files made up at random; what the manager brings is named before, and what is understood is held back."""
    require_root()
    brings, packages, files, tries = KINDS[kind]
    programs = reading_managers.layer(*packages)
    (tmp_path / "room").mkdir()
    machine = Machine(tmp_path, lambda root: brings(programs, root, tmp_path / "room"))
    came: list[bool] = []

    @given(files=files)
    @settings(max_examples=tries, deadline=None, phases=[Phase.generate])
    def every(files: Files) -> None:
        came.append(machine.check(files))

    every()
    assert any(came), "no file brings the address: nothing was tried"
