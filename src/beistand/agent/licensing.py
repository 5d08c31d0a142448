"""Licences, as the agent keeps them (S5 to S7). They are identity: nothing here reaches the other appliance."""

from __future__ import annotations

import socket
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec

from beistand.agent.log import log
from beistand.domain.errors import Failed, Refused
from beistand.domain.licence import Licence, LicenceSet, is_key
from beistand.domain.licence_file import known_after, read_licence_file
from beistand.domain.licensing import (
    configured_key_finding,
    fitting,
    installed,
    licence_findings,
    removed,
)
from beistand.domain.role import Role
from beistand.protocol import GetLicences, InstallLicence, InstallLicences, LicencesView, RemoveLicence

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from beistand.agent.acts import Acts
    from beistand.agent.agent import Agent
    from beistand.agent.caller import Caller
    from beistand.domain.finding import Finding

KNOWN = "known-licences"
"""Document of the store: what files made known."""


class Licensing:
    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._changing = Lock()
        """Held while the set is read and written: of two who install at once, nobody's licence is lost."""

    def acts(self) -> Acts:
        return {
            GetLicences: self.view,
            InstallLicences: self._alone(self.install_file),
            InstallLicence: self._alone(self.install_key),
            RemoveLicence: self._alone(self.remove),
        }

    def _alone(self, act: Callable[[Any, Caller], LicencesView]) -> Callable[[Any, Caller], LicencesView]:
        def alone(request: Any, caller: Caller) -> LicencesView:
            with self._changing:
                return act(request, caller)

        return alone

    def view(self, _request: GetLicences, _caller: Caller) -> LicencesView:
        agent, own = self._agent, self._own()
        return LicencesView(
            own=own.licences,
            peer=peer_licences(agent).licences,
            known=tuple(each for each in self._known().licences if own.with_key(each.key) is None),
            findings=found_in_licences(agent),
        )

    def install_file(self, request: InstallLicences, caller: Caller) -> LicencesView:
        """Raise Refused as `read_licence_file` and `fitting` do."""
        agent, wiring = self._agent, self._agent.wiring
        role = agent.node.store.standing().role
        granted = read_licence_file(request.file, wiring.sellers.keys(), wiring.signatures.is_signed)
        fitted = fitting(self._own(), peer_licences(agent), granted, role)
        agent.store.put(KNOWN, msgspec.json.encode(known_after(self._known(), granted)))
        self._keep(fitted.own, fitted.done)
        return msgspec.structs.replace(
            self.view(GetLicences(), caller),
            installed=tuple(each.key for each in fitted.done),
            elsewhere=tuple(each.key for each in fitted.elsewhere),
        )

    def install_key(self, request: InstallLicence, caller: Caller) -> LicencesView:
        """Raise Refused `licence-key-form`, `licence-not-known`, and as `installed` does."""
        agent, key = self._agent, request.key.strip().upper()
        role = agent.node.store.standing().role
        if not is_key(key):
            raise Refused("licence-key-form", key=request.key[:40])
        if self._own().with_key(key):
            raise Refused("licence-installed-already", key=key)
        licence = self._known().with_key(key)
        if licence is None:
            raise Refused("licence-not-known", key=key)
        self._keep(installed(self._own(), peer_licences(agent), licence, role), (licence,))
        return msgspec.structs.replace(self.view(GetLicences(), caller), installed=(key,))

    def remove(self, request: RemoveLicence, caller: Caller) -> LicencesView:
        """Raise Refused as `removed` does."""
        key = request.key.strip().upper()
        self._agent.node.store.set_licences(removed(self._own(), key))
        log("licence-removed", key=key)
        self._agent.link.greet_now()
        return self.view(GetLicences(), caller)

    def _keep(self, own: LicenceSet, done: tuple[Licence, ...]) -> None:
        self._agent.store.set_licences(own)
        for each in done:
            log("licence-installed", key=each.key, kind=each.kind, seller=each.seller)
        self._agent.link.greet_now()

    def _own(self) -> LicenceSet:
        return self._agent.node.store.licences()

    def _known(self) -> LicenceSet:
        body = self._agent.store.get(KNOWN)
        if body is None:
            return LicenceSet()
        try:
            return msgspec.json.decode(body, type=LicenceSet)
        except msgspec.MsgspecError as error:
            raise Failed("state-damaged", path=KNOWN, why=str(error)) from error


def peer_licences(agent: Agent) -> LicenceSet:
    """Return the other side's set, as it told it last; empty while it has not since this agent started."""
    last = agent.link.last()
    return last.licences if last else LicenceSet()


def found_in_licences(agent: Agent) -> tuple[Finding, ...]:
    """Return what is wrong with the licences of the pair, and with the key in the module configuration."""
    own = agent.store.licences()
    found = [*licence_findings(own, peer_licences(agent), today(agent))]
    if agent.store.standing().role is Role.ACTIVE:
        wrong = configured_key_finding(agent.store.config(), own, socket.gethostname())
        found += [wrong] if wrong else []
    return tuple(found)


def today(agent: Agent) -> date:
    return agent.clock.now().astimezone(agent.clock.zone()).date()
