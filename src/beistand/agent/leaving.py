"""`beistand leave`, which packaging/uninstall runs with the agent stopped: what Beistand holds goes to its heirs.

It reads the state by itself, so that an agent that died, or never started, is no reason to forget an address.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

import msgspec

from beistand.adapters.settings import forget_installation
from beistand.agent import network_setup
from beistand.agent.serving_notes import released_for
from beistand.domain.errors import BeistandError, Refused
from beistand.domain.leaving import LeaveFacts, Part, part_of
from beistand.domain.message import Message, message
from beistand.domain.pair import Pair
from beistand.domain.profile import Profile, Service
from beistand.domain.role import Role
from beistand.domain.setup import Setup, Stage
from beistand.operations.leaving import Leaver, leave_serving, leave_standing_by
from beistand.operations.setup import SetupNode
from beistand.operations.setup_back import go_back, restored_files
from beistand.ports.places import Places
from beistand.wiring import LeaveWiring


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a person said to packaging/uninstall."""

    said: Part | None = None
    keep_setup: bool = False
    purge: bool = False
    forget_kept_data: bool = False


def main(wishes: Wishes) -> list[Message]:
    """Leave this machine to itself; return what was done, for a person. Raises BeistandError: nothing may go then."""
    return Leaving(LeaveWiring(Places()), wishes).leave()


class Leaving:
    def __init__(self, wiring: Any, wishes: Wishes) -> None:
        self._wiring = wiring
        self._wishes = wishes
        self._never = Event()
        self._pair = self._read_pair()
        """As it was before: an undone setup forgets it."""

    def leave(self) -> list[Message]:
        facts = self.facts()
        part = part_of(facts)
        self._refuse_only_copy()
        told = self._acts()[part]()
        if part is not Part.NOTHING:
            told += self._end_pair()
        return told + self._staging()

    def facts(self) -> LeaveFacts:
        """Look at state, addresses and segment; change nothing."""
        wiring, installation = self._wiring, self._wiring.installation
        store = wiring.store
        is_known = wiring.trouble is None
        standing = store.standing() if store is not None and store.is_initialised() else None
        if installation is None:
            return LeaveFacts(is_known=is_known, standing=standing, said=self._wishes.said)
        is_appliance = standing is not None or not is_known
        other, was_heard = self._others(installation) if is_appliance else ("", True)
        return LeaveFacts(
            is_known=is_known,
            standing=standing,
            is_released=standing is not None and bool(released_for(store)),
            holds=bool(wiring.addresses.held(installation)),
            other=other,
            was_heard=was_heard,
            is_paired=standing is not None and store.pair() is not None,
            address=installation.service_ip,
            said=self._wishes.said,
        )

    def _acts(self) -> dict[Part, Callable[[], list[Message]]]:
        return {
            Part.SERVES: lambda: self._undone_setup() or leave_serving(self._leaver()),
            Part.STANDS_BY: lambda: leave_standing_by(self._leaver()),
            Part.NOTHING: self._ungated,
        }

    def _others(self, installation: Any) -> tuple[str, bool]:
        """Return who else answers for the service address, and whether anybody could have heard the question."""
        try:
            return self._wiring.arp.fast_probe(installation.interface, installation.service_ip), True
        except BeistandError:
            return "", False

    def _leaver(self) -> Leaver:
        if self._wiring.installation is None:
            raise Refused("leave-settings-lost")
        return Leaver(
            node=self._node(),
            addresses=self._wiring.addresses,
            installation=self._wiring.installation,
            services=self._services(),
        )

    def _services(self) -> tuple[Service, ...]:
        """Return the units of the PBX by the profile, and those with a gate: a profile may be lost or changed."""
        installation = self._wiring.installation
        profile = self._profile(installation.profile) if installation else None
        known = profile.services if profile else ()
        names = {_full(each.unit) for each in known}
        gated = (each for each in self._wiring.services.gated() if each not in names)
        return (*known, *(Service(unit=each) for each in gated))

    def _profile(self, name: str) -> Profile | None:
        try:
            found: Profile = self._wiring.profiles.load(name)
        except BeistandError:
            return None
        return found

    def _ungated(self) -> list[Message]:
        """No appliance: only a gate may be left, of a setup that was cut short while it went back."""
        for unit in self._wiring.services.gated():
            self._wiring.services.ungate(unit)
        return []

    # --- a machine that `beistand setup` joined ---------------------------------------------------

    def _undone_setup(self) -> list[Message]:
        """Put back what a setup changed, byte by byte; nothing where none did, or where it cannot be done so."""
        setup = self._setup()
        if setup is None or setup.stage is Stage.UNDONE or self._wishes.keep_setup:
            return []
        installation, profile = self._wiring.installation, self._profile(setup.profile)
        is_same = installation is None or installation.own_address == setup.own_address
        if profile is None or not is_same:
            return []
        units = self._services()
        try:
            setup = msgspec.structs.replace(setup, files=restored_files(self._node(), setup))
        except BeistandError:
            return []  # in a file that somebody wrote anew the address is added as on any other machine

        def become_nothing() -> None:
            self._wiring.store.forget_identity(keep=network_setup.KEPT)
            for each in units:
                self._wiring.services.ungate(each.unit)

        go_back(
            self._node(),
            setup,
            message("setup-undone-by-person"),
            profile,
            forget_settings=lambda: forget_installation(self._wiring.places.etc),
            become_nothing=become_nothing,
        )
        told = [
            message("leave-address-in-file", address=setup.service_address, path=each.path)
            for each in setup.files
        ]
        for each in units:
            if not self._wiring.services.starts_at_boot(each.unit):
                self._wiring.services.enable(each.unit)
                told.append(message("leave-pbx-enabled", unit=each.unit))
        return told

    def _setup(self) -> Setup | None:
        body = self._wiring.store.get(network_setup.DOCUMENT) if self._wiring.store is not None else None
        if not body:
            return None
        try:
            return msgspec.json.decode(body, type=Setup)
        except msgspec.MsgspecError:
            return None

    def _node(self) -> SetupNode:
        wiring = self._wiring

        def save(setup: Setup) -> None:
            wiring.store.put(network_setup.DOCUMENT, msgspec.json.encode(setup), vital=True)

        return SetupNode(
            clock=wiring.clock,
            files=wiring.network_files,
            managers=wiring.network_managers,
            live=wiring.live_addresses,
            addresses=wiring.addresses,
            arp=wiring.arp,
            services=wiring.services,
            save=save,
            wait=lambda seconds: wiring.clock.wait(self._never, seconds),
        )

    def _end_pair(self) -> list[Message]:
        """Tell the peer that the pair is no more; whatever becomes of that, this machine leaves."""
        pair = self._pair
        if pair is None:
            return []
        try:
            self._wiring.end_pair(pair)
        except BeistandError as error:
            return [message("leave-peer-knows", peer=pair.peer.host, why=str(error.message))]
        store = self._wiring.store
        if store.is_initialised():
            store.forget_pair()
        return [message("leave-peer-told", peer=pair.peer.host)]

    def _read_pair(self) -> Pair | None:
        store = self._wiring.store
        if store is None or not store.is_initialised():
            return None
        found: Pair | None = store.pair()
        return found

    # --- what lies on the disks -------------------------------------------------------------------

    def _refuse_only_copy(self) -> None:
        """Raise Refused `leave-only-copy`: a purge would delete what this machine served and nobody else has."""
        if not self._wishes.purge or self._wishes.forget_kept_data:
            return
        store = self._wiring.store
        is_here = (
            store is not None and store.is_initialised() and store.standing().role is Role.SUPERSEDED
        )  # the live data is that very data still
        kept = [each for each in self._wiring.backups.records() if each.superseded_by]
        if kept and not is_here:
            names = ", ".join(str(self._wiring.backups.path(each.id)) for each in kept)
            raise Refused("leave-only-copy", backups=names)

    def _staging(self) -> list[Message]:
        """Remove the folders with staging and replaced data, or say where they lie."""
        told = []
        for path in self._wiring.staging.found():
            size = self._wiring.staging.size(path)
            if self._wishes.purge:
                self._wiring.staging.remove(path)
            code = "leave-staging-removed" if self._wishes.purge else "leave-staging-kept"
            told.append(message(code, path=path, size=size))
        return told


def _full(unit: str) -> str:
    return unit if "." in unit else f"{unit}.service"
