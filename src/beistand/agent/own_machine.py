"""The installation knows its machine: a copy of its disk says that it is one, and does nothing (DESIGN "Addresses")."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from beistand.agent.log import log
from beistand.domain.errors import BeistandError, Failed, Refused
from beistand.domain.finding import Finding, Severity
from beistand.domain.machine import MachineSigns, Whose, whose, with_news
from beistand.protocol import ConfirmMachine, GetMachine, MachineView

if TYPE_CHECKING:
    from beistand.agent.acts import Acts
    from beistand.agent.agent import Agent
    from beistand.agent.caller import Caller
    from beistand.domain.installation import Installation
    from beistand.ports.node import Node

DOCUMENT = "machine"
"""Name of what was written down of the own machine among the store's documents."""
IS_COPY = "machine-is-copy"
LEARN_SECONDS = 5.0
"""An installation of an older version looks so often until it may learn its machine."""


class OwnMachine:
    """`check` before anything is made of the settings, `tick` in the agent's loop."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._next = 0.0
        self._is_own = False
        """Seen by this process: a card that is pulled meanwhile makes no copy of a machine that runs."""

    def acts(self) -> Acts:
        return {
            GetMachine: lambda _request, _caller: self.view(),
            ConfirmMachine: self.confirm,
        }

    def check(self, installation: Installation) -> None:
        """See that this is the machine that the installation was made on. Raises Failed `machine-is-copy`."""
        known, seen = self._known(), self._seen(installation)
        if self._is_own or known is None:
            return
        if whose(known, seen) is Whose.OTHER and not self._agent.wiring.addresses.held(installation):
            raise Failed(
                IS_COPY,
                host=known.host,
                known=", ".join(known.cards) or "-",
                seen=", ".join(seen.cards) or "-",
            )
        # Who holds the address since this boot is no copy: a card was replaced while it ran.
        self._keep(with_news(known, seen), known)
        self._is_own = True

    def tick(self) -> None:
        """Learn the machine of an installation that wrote nothing down, once nothing speaks against it."""
        agent = self._agent
        now = agent.clock.monotonic()
        if self._is_own or not agent.is_initialised or now < self._next:
            return
        self._next = now + LEARN_SECONDS
        if self._known() is None and not self._speaks_against(agent.node):
            self.learn(agent.node.installation)

    def learn(self, installation: Installation) -> None:
        """Write down the machine as it is now; whoever calls knows that it is the right one."""
        seen = self._seen(installation)
        self._keep(seen, None)
        self._is_own = True
        log("machine-known", host=seen.host, cards=", ".join(seen.cards) or "-")

    def view(self) -> MachineView:
        """Return what was written down of the machine, and what it is like now."""
        known = self._known() if self._agent.store.is_initialised() else None
        installation = self._settings()
        seen = self._seen(installation) if installation else MachineSigns()
        return MachineView(
            host=known.host if known else "",
            known=known.cards if known else (),
            seen=seen.cards,
            is_copy=not self._is_own and whose(known, seen) is Whose.OTHER,
            is_known=known is not None,
        )

    def confirm(self, request: ConfirmMachine, _caller: Caller) -> MachineView:
        """Take this for the machine itself, with other network cards. Raises Refused `machine-not-asked`."""
        view, installation = self.view(), self._settings()
        if not view.is_copy or installation is None:
            raise Refused("machine-not-asked")
        if request.host != view.host:
            raise Refused("machine-other-name", host=view.host, said=request.host[:64])
        log("machine-confirmed", level="warning", host=view.host, cards=", ".join(view.seen) or "-")
        self.learn(installation)
        return self.view()

    def findings(self) -> tuple[Finding, ...]:
        """Say that nothing serves here while the own address is not there (the keeper waits for it)."""
        node = self._agent.node
        installation = node.installation
        waits = self._agent.keeper.state in ("checking", "held")
        if not waits or node.addresses.has(installation.interface, installation.own_ip):
            return ()
        fields: dict[str, str | int | float | bool] = {
            "address": installation.own_ip,
            "interface": installation.interface,
        }
        return (Finding(code="own-address-gone", severity=Severity.BLOCK, fields=fields),)

    def refuse_without_own_address(self) -> None:
        """Raise Refused `own-address-gone`: whoever serves without it is a copy, or cannot be reached by its pair.

        Not where the cable is out: then most network managers take the address away, and the evidence says so.
        """
        node = self._agent.node
        installation = node.installation
        has_own = node.addresses.has(installation.interface, installation.own_ip)
        if node.addresses.carrier(installation.interface) and not has_own:
            raise Refused("own-address-gone", address=installation.own_ip, interface=installation.interface)

    def _speaks_against(self, node: Node) -> bool:
        """Tell whether this might be a copy made before anything was written down: no own address, or a twin of it."""
        installation = node.installation
        if not node.addresses.has(installation.interface, installation.own_ip):
            return True
        try:
            return bool(node.arp.fast_probe(installation.interface, installation.own_ip))
        except BeistandError:
            return True  # nobody could have answered

    def _settings(self) -> Installation | None:
        try:
            return self._agent.wiring.installation()
        except BeistandError:
            return None

    def _seen(self, installation: Installation) -> MachineSigns:
        return self._agent.wiring.machine.look(installation.interface)

    def _known(self) -> MachineSigns | None:
        body = self._agent.store.get(DOCUMENT)
        if not body:
            return None
        try:
            return msgspec.json.decode(body, type=MachineSigns)
        except msgspec.MsgspecError:
            return None  # F32: what is damaged here decides nothing, and is learnt anew

    def _keep(self, signs: MachineSigns, known: MachineSigns | None) -> None:
        if signs != known:
            self._agent.store.put(DOCUMENT, msgspec.json.encode(signs), vital=True)
