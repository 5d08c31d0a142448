"""Join an existing installation: look, then change over; a person confirms, or everything goes back (setup_back)."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface

from beistand.domain.errors import Failed, Refused
from beistand.domain.installation import Installation, ServiceAddress
from beistand.domain.network_file import Manager, Named, NetworkFile, NotUnderstood
from beistand.domain.network_file_edit import check, configured, replaced, without
from beistand.domain.profile import Profile
from beistand.domain.setup import ChangedFile, Setup, Stage, own_address_problem, with_length
from beistand.ports.clock import Clock
from beistand.ports.live_addresses import LiveAddresses
from beistand.ports.network import Addresses, Arp
from beistand.ports.network_files import NetworkFiles
from beistand.ports.network_managers import NetworkManagers
from beistand.ports.services import Services
from beistand.protocol import FileChange, PlanSetup, SetupPlan, StartSetup

SETTLE_SECONDS = 20.0
"""So long a network manager may take to do what its changed file says."""
LOOK_SECONDS = 0.05
QUIET_LOOKS = 20
"""One second without a change of mind."""


@dataclass(frozen=True, kw_only=True)
class SetupNode:
    """What a setup needs of this machine, which may be no appliance yet."""

    clock: Clock
    files: NetworkFiles
    managers: NetworkManagers
    live: LiveAddresses
    addresses: Addresses
    arp: Arp
    services: Services
    save: Callable[[Setup], None]
    """Make it the journal; durable when it returns."""
    wait: Callable[[float], object]


def plan_setup(node: SetupNode, request: PlanSetup | StartSetup, profile: Profile, boot: str) -> Setup:
    """Look at everything and change nothing. Raises Refused with what stands against it."""
    interface, present = _present(node, request)
    own = with_length(request.own_address, present)
    if problem := own_address_problem(own, present):
        raise Refused(problem.code, **problem.fields)
    own = str(IPv4Interface(own))
    files = _changed_files(node, interface, present, own)
    own_ip = own.partition("/")[0]
    if own not in [each.address for each in node.live.on(interface)] and (
        mac := node.arp.fast_probe(interface, own_ip)
    ):
        raise Refused("setup-own-address-taken", address=own_ip, mac=mac)
    return Setup(
        stage=Stage.BEGUN,
        boot=boot,
        began=node.clock.now(),
        interface=interface,
        manager=files[0][0].manager,
        own_address=own,
        service_address=present,
        profile=profile.name,
        files=tuple(_journaled(before, after) for before, after in files),
        has_route=all(each.has_route for each in node.live.on(interface) if each.address == present),
        running=tuple(each.unit for each in profile.services if node.services.is_running(each.unit)),
    )


def shown(setup: Setup) -> SetupPlan:
    """Return the plan as people see it: of the files only the lines that change, as they may hold secrets."""
    return SetupPlan(
        interface=setup.interface,
        manager=setup.manager,
        own_address=setup.own_address,
        service_address=setup.service_address,
        profile=setup.profile,
        changes=tuple(FileChange(path=each.path, lines=_difference(each)) for each in setup.files),
    )


def change_over(node: SetupNode, setup: Setup, become_active: Callable[[Setup], None]) -> None:
    """Give the machine its own address and the agent the present one; the journal has the stage `begun`.

    `become_active` makes identity, first grant and settings, and returns when the agent holds the service address.
    The order is safe at every kill: an address is added before another one goes, and settings that name the service
    address stand on disk only while no network file does. Raises Failed `setup-not-taken` and what ports raise.
    """
    node.live.add(setup.interface, setup.own_address, has_route=setup.has_route)
    for each in setup.files:
        node.files.write(as_file(each, setup.manager, each.after))
    become_active(setup)
    # Beside the one with the network's own length, which the manager takes away: there is no gap.
    node.live.add(setup.interface, f"{setup.service_ip}/32")
    node.managers.apply(setup.manager, setup.interface, tuple(each.path for each in setup.files))
    await_manager(node, setup.interface, setup.manager, came=setup.own_address, gone=setup.service_address)


def await_manager(node: SetupNode, interface: str, manager: str, *, came: str, gone: str) -> None:
    """Wait until the interface has the one address for good; take the other one away where the manager did not.

    Raises Failed `setup-not-taken`.
    """
    end = node.clock.monotonic() + SETTLE_SECONDS
    quiet = 0
    while quiet < QUIET_LOOKS:
        there = {each.address: each.is_static for each in node.live.on(interface)}
        if gone in there and quiet >= QUIET_LOOKS // 2:
            node.live.remove(interface, gone)
        # A manager that begins anew takes everything away first: what is seen once may be seen too early.
        quiet = quiet + 1 if there.get(came) else 0
        if node.clock.monotonic() > end:
            raise Failed("setup-not-taken", manager=manager, address=came, interface=interface)
        node.wait(LOOK_SECONDS)


def installation_of(setup: Setup) -> Installation:
    """Return the settings that the setup leads to; only what concerns addresses is of use."""
    service = ServiceAddress(address=setup.service_ip, interface=setup.interface)
    return Installation(
        interface=setup.interface,
        own_address=setup.own_address,
        service_addresses=(service,),
        profile=setup.profile,
    )


def as_file(changed: ChangedFile, manager: Manager, body: bytes) -> NetworkFile:
    return NetworkFile(
        path=changed.path,
        manager=manager,
        body=body,
        mode=changed.mode,
        uid=changed.uid,
        gid=changed.gid,
    )


def _present(node: SetupNode, request: PlanSetup | StartSetup) -> tuple[str, str]:
    """Return interface and present address. Raises Refused where there is none, or more than one."""
    interface, own, service = (
        request.interface,
        *(each.partition("/")[0] for each in (request.own_address, request.service_address)),
    )
    found = [
        (name, address)
        for address, name in node.addresses.candidates()
        if interface in ("", name) and _ip(address) != own and service in ("", _ip(address))
    ]
    if len(found) > 1:
        addresses = ", ".join(f"{address} ({name})" for name, address in found)
        raise Refused("setup-several-addresses", addresses=addresses)
    if found:
        return found[0]
    for each in node.live.on(interface) if interface else ():
        if not each.is_static:
            raise Refused("setup-address-leased", address=each.address, interface=interface)
    raise Refused("setup-no-address", interface=interface or "-", address=service or "-")


def _changed_files(
    node: SetupNode, interface: str, present: str, own: str
) -> list[tuple[NetworkFile, NetworkFile]]:
    """Return the files that bring the present address, before and after. Raises Refused."""
    ip = _ip(present)
    files = [each for each in node.files.configuring(interface) if not each.is_generated]
    for each in files:
        check(each, interface)
    changing = [each for each in files if ip in [one.ip for one in configured(each)]]
    places = node.files.naming([ip])
    if not changing:
        for place in places:
            if not place.is_understood and place.path in {each.shown for each in files}:
                raise NotUnderstood(place.path, place.line, place.what)
        raise Refused("setup-address-in-no-file", address=ip, interface=interface)
    for named in places:
        if named.path not in {each.shown for each in changing} and not _is_made_of(named, changing):
            raise Refused("setup-address-named-elsewhere", address=ip, path=named.path, line=named.line)
    for each in changing:
        if program := node.files.generator(each):
            raise Refused("setup-file-generated", path=each.shown, program=program)
        node.files.check_writable(each)
    # The own address may have been prepared already, beside the present one.
    is_prepared = any(_ip(own) == one.ip for each in files for one in configured(each))
    return [(each, without(each, ip) if is_prepared else replaced(each, ip, own)) for each in changing]


def _is_made_of(named: Named, files: Sequence[NetworkFile]) -> bool:
    """Tell whether the place is in a file that a generator makes anew from one that is changed."""
    return named.path.startswith("/run/") and any(each.manager is Manager.NETPLAN for each in files)


def _ip(address: str) -> str:
    return address.partition("/")[0]


def _journaled(before: NetworkFile, after: NetworkFile) -> ChangedFile:
    return ChangedFile(
        path=before.path,
        mode=before.mode,
        uid=before.uid,
        gid=before.gid,
        before=before.body,
        after=after.body,
    )


def _difference(changed: ChangedFile) -> tuple[str, ...]:
    before, after = (each.decode("utf-8", "replace").splitlines() for each in (changed.before, changed.after))
    lines = difflib.unified_diff(before, after, lineterm="", n=0)
    return tuple(each for each in lines if not each.startswith(("---", "+++", "@@")))
