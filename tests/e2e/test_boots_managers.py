"""An old active boots under other network managers than networkd; torture/boots.py has all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from beistand_lab.lab import Lab, down
from beistand_lab.source_watch import SourceWatch
from e2e import booting, flapping, gating, switching
from e2e.conftest import require_root

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def scene(lab_place: tuple[str, str]) -> Iterator[booting.Scene]:
    """A pair under ifupdown and NetworkManager, after a takeover."""
    require_root()
    name, subnet = lab_place
    down(name)  # of a run that was killed
    try:
        scene = booting.Scene(Lab.up(name, subnet, manager="ifupdown,networkmanager"))
        scene.take_over()
        yield scene
    finally:
        down(name)


@pytest.mark.shows("F19", "F20")
def test_an_old_active_under_ifupdown_claims_nothing(scene: booting.Scene) -> None:
    """F19: it boots while the other serves; asked aloud all the while, it answers for the address in no frame."""
    booting.peer_serves(scene)


@pytest.mark.shows("F19")
def test_an_address_in_a_network_file_is_held_back_and_told(scene: booting.Scene) -> None:
    """F19: somebody wrote the service address into /etc/network/interfaces by hand."""
    booting.address_in_a_network_file(scene)


@pytest.mark.shows("F33")
@pytest.mark.parametrize("way", gating.WAYS)
def test_an_address_that_comes_while_it_runs_is_silent_and_told(scene: booting.Scene, way: str) -> None:
    """F33: of a hand, a script, keepalived, a lease, raw frames, and while somebody flushes the rules."""
    gating.brought(gating.Place(scene.lab, scene.administrator, "a"), way)
    assert switching.serves(scene.lab, "b")


@pytest.mark.shows("F19", "F33")
def test_an_address_that_no_parser_sees_is_silent_at_boot_and_told(scene: booting.Scene) -> None:
    """F19, F33: ifupdown brings it from a file that only it finds, and no guard runs."""
    gating.boots_with(gating.Place(scene.lab, scene.administrator, "a"), "behind a second pattern")
    assert switching.serves(scene.lab, "b")


@pytest.mark.shows("F26")
def test_networkmanager_gets_its_own_address_back_beside_ours(scene: booting.Scene) -> None:
    """F26: disconnected, its interface has no address but the service address, which must not look like its own."""
    lab = scene.lab
    act = flapping.operations(lab, "b")["disconnect and connect"]
    with SourceWatch(lab.settings, "b") as inside, lab.sip_probe(lab.settings.service_address) as outside:
        seen = flapping.watched(lab, "b", act, inside, outside)
    assert seen.gaps
    assert seen.longest < flapping.BUSY_SECONDS, seen.gaps
