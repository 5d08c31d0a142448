"""Bring the machine to what the standing says: the same at boot, after a takeover and on every tick.

Idempotent. It compares what is with what should be, changes the difference, and never asks why it was called.
"""

from collections.abc import Callable
from dataclasses import dataclass

from beistand.domain.errors import BeistandError
from beistand.domain.message import Message, message
from beistand.domain.phones import Contact, Dated
from beistand.domain.profile import Profile, Service
from beistand.domain.serving import WITHDRAW, Act
from beistand.domain.value import Value
from beistand.operations.holding import drop, hold
from beistand.ports.node import Node

START_ANSWER_SECONDS = 20.0
"""A PBX that was started answers within seconds; a big one loads its modules for longer."""

TICK_ANSWER_SECONDS = 2.0


def serve_seconds(profile: Profile) -> float:
    """Return how long taking up service may last, from the grant to an answer or to the reason why there is none."""
    return START_ANSWER_SECONDS + sum(each.start_seconds for each in profile.services)


WhileOurs = Callable[[Callable[[], object]], bool]
"""Does an act if this appliance still is to serve, and returns whether that was so."""


def always_ours(act: Callable[[], object]) -> bool:
    """Do it: nobody else changes who is to serve."""
    act()
    return True


def _nothing() -> None:
    """Only ask."""


Contacts = tuple[Contact, ...]


@dataclass(frozen=True, kw_only=True)
class Around:
    """What others do while this appliance takes up service; each returns at once."""

    announce: Callable[[], None]
    """Announces the address in a thread of its own; called as soon as it is held, in every turn."""
    waking: Callable[[Contacts], None] = lambda _: None
    """The PBX is about to start, with these phones as they were registered before."""
    woken: Callable[[Contacts], None] = lambda _: None
    """The PBX was started in this turn; these phones were registered with it before."""
    answers: Callable[[], None] = _nothing
    """The PBX answers SIP: phones that connect again now find it."""
    dated: Dated | None = None
    """When the contacts that lie here were those of a running PBX; None: of the one that ran here."""


class Outcome(Value, frozen=True, kw_only=True):
    """How the machine is after the turn."""

    holds: bool
    """Every service address stands on this machine."""
    running: bool
    """Every unit of the PBX runs."""
    answers: bool = False
    """OPTIONS from the own address to the service address was answered in this turn."""
    failure: Message | None = None
    """What could not be brought about; with `holds`: the state `active-failed`."""


def converge(
    node: Node,
    *,
    serve: bool,
    around: Around,
    may_start: bool = True,
    while_ours: WhileOurs = always_ours,
) -> Outcome:
    """Serve, or give up serving; return how the machine is now.

    With `may_start` False a PBX that does not run is reported, not started. `while_ours`
    does an act, in one moment with the question whether news made it wrong to serve since the turn began: a PBX
    may take a minute to start, and whoever brings the news takes the address away itself.
    """
    try:
        if not serve:
            return _withdraw(node)
        outcome = _serve(node, around, may_start, while_ours)
        return _withdraw(node) if outcome is None else outcome
    except BeistandError as error:
        # Whatever could not even be looked at: where the address is, is known and told.
        return Outcome(holds=_holds(node), running=False, failure=error.message)


def _serve(node: Node, around: Around, may_start: bool, while_ours: WhileOurs) -> Outcome | None:
    """Return None when overtaken: everything is to be given up again."""
    try:
        if not while_ours(lambda: hold(node)):
            return None
        around.announce()
        if not node.services.gate_is_open() and not while_ours(node.services.open_gate):
            return None
    except BeistandError as error:
        return _outcome(node, failure=error.message)
    missing = [each for each in node.profile.services if not node.services.is_running(each.unit)]
    if missing and not may_start:
        return _outcome(node, failure=message("pbx-not-running", unit=missing[0].unit))
    if not while_ours(_nothing):
        return None
    if missing:
        # Read before the start: the PBX forgets contacts of connections that are gone.
        known = node.contacts.list(node.profile)
        around.waking(known)
        failure = _start(node, missing, around.dated)
        if not while_ours(_nothing):
            return None
        if failure:
            return _outcome(node, failure=failure)
        around.woken(known)
    seconds = START_ANSWER_SECONDS if missing else TICK_ANSWER_SECONDS
    installation, port = node.installation, node.profile.sip.udp_port
    if not node.sip.options(installation.own_ip, installation.service_ip, port, seconds):
        return _outcome(node, failure=_silence(node, seconds))
    around.answers()
    return _outcome(node, answers=True)


def _silence(node: Node, seconds: float) -> Message:
    """Say why nobody answered SIP. It is asked from the own address, which most managers take away with the link."""
    installation = node.installation
    if not node.addresses.carrier(installation.interface):
        return message("no-link", interface=installation.interface)
    return message("pbx-silent", address=installation.service_ip, seconds=seconds)


def _start(node: Node, missing: list[Service], dated: Dated | None) -> Message | None:
    try:
        # Only while nothing of the PBX runs: it would write its own view of the contacts over ours.
        if len(missing) == len(node.profile.services):
            _renew_contacts(node, dated or Dated(at=node.clock.now().timestamp(), age=0.0))
        for service in missing:
            node.services.start(service)
    except BeistandError as error:
        return error.message
    return None


def _renew_contacts(node: Node, dated: Dated) -> None:
    try:
        node.contacts.renew(node.profile, dated)
    except BeistandError:
        return  # phones register again by themselves: no reason to keep everybody waiting


def _withdraw(node: Node) -> Outcome:
    failure: Message | None = None
    ways: dict[Act, list[Callable[[], object]]] = {
        Act.DROP_ADDRESS: [lambda: drop(node)],
        Act.CLOSE_GATE: [node.services.close_gate] if node.services.gate_is_open() else [],
        Act.STOP_PBX: [_stopping(node, each) for each in reversed(node.profile.services)],
    }
    for way in [each for act in WITHDRAW for each in ways[act]]:
        try:
            way()
        except BeistandError as error:
            failure = failure or error.message
    return _outcome(node, failure=failure)


def _stopping(node: Node, service: Service) -> Callable[[], None]:
    def stop() -> None:
        if node.services.is_running(service.unit):
            node.services.stop(service)

    return stop


def _outcome(node: Node, *, answers: bool = False, failure: Message | None = None) -> Outcome:
    return Outcome(
        holds=_holds(node),
        running=all(node.services.is_running(each.unit) for each in node.profile.services),
        answers=answers,
        failure=failure,
    )


def _holds(node: Node) -> bool:
    return len(node.addresses.held(node.installation)) == len(node.installation.service_addresses)
