"""packaging/uninstall asks `beistand leave`: every way in which an appliance can have become what it is."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from beistand.adapters.settings import read_loosely
from beistand.agent.ending_calls import ENDS_CALLS
from beistand.agent.leaving import Leaving, Wishes
from beistand.domain.errors import BeistandError, Failed, PeerUnreachable, Refused
from beistand.domain.leaving import Part
from beistand.domain.network_file_edit import configured
from beistand.domain.pair import Pair
from beistand.domain.role import Role, Side
from beistand.protocol import ConfirmSetup, Init, UndoSetup
from fakes.joined_appliance import Appliance
from fakes.network import Machine
from fakes.pair_of_appliances import UNITS
from fakes.setting_up import ASKED, OWN, PATH, PRESENT, TEXT
from fakes.situations import NOW, B, appliance, grant

AT_CONSOLE = ConfirmSetup(reached=OWN, at_console=False)


class FakeStaging:
    def __init__(self, *paths: str) -> None:
        self.paths = list(paths)

    def found(self) -> tuple[str, ...]:
        return tuple(self.paths)

    def size(self, _path: str) -> int:
        return 4096

    def remove(self, path: str) -> None:
        self.paths.remove(path)


class Leaver:
    """The machine of `made` with its agent stopped, as packaging/uninstall finds it."""

    def __init__(self, made: Appliance) -> None:
        self.made, self.staging = made, FakeStaging("/.beistand")
        self.made.agent.keeper.stop()
        self.joined = made.joined
        self.records: list[Any] = []
        self.trouble: BeistandError | None = None
        self.is_peer_silent, self.told_peer = False, 0
        # Without an agent nobody puts anything back.
        self.joined.agent_keeps = False

    def leave(self, **wishes: Any) -> list[str]:
        wiring, places = self.made.wiring, self.made.wiring.places
        outside = SimpleNamespace(
            places=places,
            installation=read_loosely(places.etc),
            store=None if self.trouble else wiring.store,
            trouble=self.trouble,
            clock=wiring.clock,
            addresses=wiring.addresses,
            live_addresses=wiring.live_addresses,
            network_files=wiring.network_files,
            network_managers=wiring.network_managers,
            arp=wiring.arp,
            services=wiring.services,
            profiles=wiring.profiles,
            backups=SimpleNamespace(records=lambda: tuple(self.records), path=lambda name: Path("/b", name)),
            staging=self.staging,
            end_pair=self._end_pair,
        )
        return [each.code for each in Leaving(outside, Wishes(**wishes)).leave()]

    def _end_pair(self, pair: Pair) -> None:
        if self.is_peer_silent:
            raise PeerUnreachable("peer-silent", server=pair.peer.own_address)
        self.told_peer += 1

    @property
    def in_file(self) -> list[str]:
        return [each.address for each in configured(self.joined.files.files[PATH])]

    def after_a_boot(self) -> tuple[bool, bool]:
        """Return whether the phones' address comes up by the network file, and whether the PBX starts."""
        services = self.joined.services
        starts = services.enabled >= UNITS and services.ungated >= UNITS
        return PRESENT in [each.split("/")[0] for each in self.in_file], starts


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Appliance]:
    each = Appliance(tmp_path)
    each.joined.services.enabled = set(UNITS)
    yield each
    each.agent.keeper.stop()


def init(made: Appliance, role: Role) -> None:
    """`beistand init` on a machine that has its own address, and nothing of the phones' one."""
    joined = made.joined
    body = TEXT.replace(PRESENT, OWN).encode()
    joined.files.files[PATH] = msgspec.structs.replace(joined.files.files[PATH], body=body)
    joined.live.there[:] = [f"{OWN}/24"]
    joined.machine.own_ip = OWN
    made.ask(
        Init(
            role=role,
            interface="eth0",
            own_address=f"{OWN}/24",
            service_address=PRESENT,
            profile="asterisk",
            accept=(ENDS_CALLS,),
        )
    )
    if role is Role.ACTIVE:
        made.agent.keeper.settle()


def paired(made: Appliance) -> None:
    store = made.wiring.store
    peer = appliance(B)
    store.set_pair(Pair(id="0" * 32, peer=peer, peer_host_key="", side=Side.EVEN, since=NOW))


def by_init(made: Appliance) -> None:
    init(made, Role.ACTIVE)


def by_setup(made: Appliance) -> None:
    made.ask(ASKED)
    made.ask(AT_CONSOLE)


def by_setup_with_a_standby(made: Appliance) -> None:
    by_setup(made)
    paired(made)


def by_takeover(made: Appliance) -> None:
    init(made, Role.STANDBY)
    paired(made)
    store = made.wiring.store
    store.adopt(grant(2, B))
    store.adopt(grant(3, store.standing().me, 2))
    made.joined.services.is_gate_open = True
    made.joined.services.running = set(UNITS)
    made.joined.live.there.append(f"{PRESENT}/32")


def with_a_dead_agent_after_a_boot(made: Appliance) -> None:
    by_takeover(made)
    made.joined.live.there.remove(f"{PRESENT}/32")
    made.joined.services.running = set()
    made.joined.services.is_gate_open = False


def with_its_cable_out(made: Appliance) -> None:
    by_takeover(made)
    made.joined.machine.has_carrier = False


def with_old_settings(made: Appliance) -> None:
    by_init(made)
    (made.wiring.places.etc / "installation.toml").write_text(
        f'interface = "eth0"\nown_address = "{OWN}/24"\nservice_address = "{PRESENT}"\nmode = 1\n'
    )


def with_damaged_settings(made: Appliance) -> None:
    by_init(made)
    path = made.wiring.places.etc / "installation.toml"
    path.write_text(path.read_text() + "half a li")


def with_a_pbx_that_an_earlier_uninstall_switched_off(made: Appliance) -> None:
    by_takeover(made)
    made.joined.services.enabled = set()


@pytest.mark.parametrize(
    "become",
    [
        by_init,
        by_setup,
        by_setup_with_a_standby,
        by_takeover,
        with_a_dead_agent_after_a_boot,
        with_its_cable_out,
        with_old_settings,
        with_damaged_settings,
        with_a_pbx_that_an_earlier_uninstall_switched_off,
    ],
)
def test_after_the_next_boot_the_phones_have_their_pbx(become: Any, made: Appliance) -> None:
    become(made)
    left = Leaver(made)
    told = left.leave()
    assert left.after_a_boot() == (True, True), told
    assert f"{PRESENT}/24" in left.joined.live.there
    assert left.joined.services.running >= UNITS
    assert "leave-address-in-file" in told


def test_what_a_setup_changed_is_put_back_byte_by_byte(made: Appliance) -> None:
    by_setup(made)
    left = Leaver(made)
    left.leave()
    assert left.joined.files.files[PATH].body == TEXT.encode()
    assert left.joined.live.there == [f"{PRESENT}/24"]


def test_keep_setup_leaves_the_own_address_too(made: Appliance) -> None:
    by_setup(made)
    left = Leaver(made)
    left.leave(keep_setup=True)
    assert left.in_file == [f"{PRESENT}/24", f"{OWN}/24"]


def standby(made: Appliance) -> None:
    init(made, Role.STANDBY)
    paired(made)


def superseded(made: Appliance) -> None:
    init(made, Role.ACTIVE)
    paired(made)
    made.wiring.store.adopt(grant(3, B, 2))


def superseded_and_not_told_yet(made: Appliance) -> None:
    """The agent died before it could give anything up."""
    superseded(made)
    assert f"{PRESENT}/32" in made.joined.live.there


def superseded_after_a_setup(made: Appliance) -> None:
    by_setup(made)
    paired(made)
    made.wiring.store.adopt(grant(3, B, 2))


def a_stranger_has_the_address(made: Appliance) -> None:
    init(made, Role.ACTIVE)
    made.joined.live.there.remove(f"{PRESENT}/32")
    made.joined.segment.machines.append(Machine("02:00:00:00:00:63", PRESENT))


@pytest.mark.parametrize(
    "become",
    [
        standby,
        superseded,
        superseded_and_not_told_yet,
        superseded_after_a_setup,
        a_stranger_has_the_address,
    ],
)
def test_whoever_does_not_serve_has_neither_address_nor_pbx(become: Any, made: Appliance) -> None:
    become(made)
    left = Leaver(made)
    told = left.leave()
    assert left.after_a_boot() == (False, False), told
    assert PRESENT not in [each.split("/")[0] for each in left.joined.live.there]
    assert left.joined.services.running == set()
    assert "leave-pbx-disabled" in told


def test_one_that_is_silent_is_named(made: Appliance) -> None:
    by_takeover(made)
    left = Leaver(made)
    left.is_peer_silent = True
    assert "leave-peer-knows" in left.leave()
    assert left.after_a_boot() == (True, True)


@pytest.mark.parametrize("become", [by_takeover, by_setup_with_a_standby, standby])
def test_the_other_one_is_told_or_named(become: Any, made: Appliance) -> None:
    become(made)
    left = Leaver(made)
    assert "leave-peer-told" in left.leave()
    assert left.told_peer == 1


def test_two_holders_are_not_guessed_about(made: Appliance) -> None:
    by_init(made)
    made.joined.segment.machines.append(Machine("02:00:00:00:00:63", PRESENT))
    left = Leaver(made)
    with pytest.raises(Refused, match="leave-two-holders"):
        left.leave()
    assert left.joined.services.running >= UNITS
    assert left.leave(said=Part.STANDS_BY)
    assert left.after_a_boot() == (False, False)


def test_a_state_that_cannot_be_read_serves_where_it_holds_the_address(made: Appliance) -> None:
    by_init(made)
    left = Leaver(made)
    left.trouble = Failed("state-damaged", path="/var/lib/beistand/state.db", why="malformed")
    left.leave()
    assert left.after_a_boot() == (True, True)


def test_a_state_that_cannot_be_read_is_unclear_where_it_does_not(made: Appliance) -> None:
    standby(made)
    left = Leaver(made)
    left.trouble = Failed("state-damaged", path="/var/lib/beistand/state.db", why="malformed")
    with pytest.raises(Refused, match="leave-unclear"):
        left.leave()


def test_a_machine_that_never_was_an_appliance_keeps_its_pbx(made: Appliance) -> None:
    left = Leaver(made)
    assert left.leave() == ["leave-staging-kept"]
    assert left.joined.services.running == UNITS
    assert left.joined.services.enabled == UNITS


def test_a_setup_that_was_taken_back_before_is_nothing(made: Appliance) -> None:
    by_setup(made)
    made.agent.keeper.settle()
    made.ask(UndoSetup())
    left = Leaver(made)
    assert left.leave() == ["leave-staging-kept"]


def test_lost_settings_are_told(made: Appliance) -> None:
    by_init(made)
    (made.wiring.places.etc / "installation.toml").unlink()
    with pytest.raises(Refused, match="leave-settings-lost"):
        Leaver(made).leave()


# --- purge -----------------------------------------------------------------------------------------


def record(superseded_by: int) -> Any:
    return SimpleNamespace(id="20261201T000000Z-1", superseded_by=superseded_by)


def test_a_purge_takes_the_replaced_data_away(made: Appliance) -> None:
    standby(made)
    left = Leaver(made)
    assert "leave-staging-removed" in left.leave(purge=True)
    assert left.staging.paths == []


def test_without_a_purge_it_is_told_where_it_lies(made: Appliance) -> None:
    standby(made)
    left = Leaver(made)
    assert "leave-staging-kept" in left.leave()
    assert left.staging.paths == ["/.beistand"]


def test_the_only_copy_of_kept_data_needs_its_own_word(made: Appliance) -> None:
    standby(made)
    left = Leaver(made)
    left.records = [record(superseded_by=3)]
    with pytest.raises(Refused, match="leave-only-copy") as told:
        left.leave(purge=True)
    assert "20261201T000000Z-1" in str(told.value.message.fields["backups"])
    assert left.staging.paths == ["/.beistand"]
    assert left.joined.services.enabled == UNITS  # nothing was done
    assert "leave-staging-removed" in left.leave(purge=True, forget_kept_data=True)


def test_data_that_is_still_in_its_place_needs_none(made: Appliance) -> None:
    superseded(made)
    left = Leaver(made)
    left.records = [record(superseded_by=3)]
    assert "leave-staging-removed" in left.leave(purge=True)


def test_other_backups_need_none(made: Appliance) -> None:
    standby(made)
    left = Leaver(made)
    left.records = [record(superseded_by=0)]
    assert left.leave(purge=True)
