"""Leave a machine to itself: the phones' address and the PBX stay where they serve, and stay away where they do not."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from beistand.domain.errors import BeistandError, Refused
from beistand.domain.guarding import brings, held_back
from beistand.domain.installation import Installation
from beistand.domain.leaving import line_to_write, with_length_of
from beistand.domain.message import Field, Message, message
from beistand.domain.network_file import Named, NetworkFile, NotUnderstood
from beistand.domain.network_file_edit import added, configured, replaced
from beistand.domain.profile import Service
from beistand.operations.setup import SetupNode, await_manager
from beistand.ports.network import Addresses

Told = list[Message]


@dataclass(frozen=True, kw_only=True)
class Leaver:
    """What is left, and what it needs of the machine. `node` is what a setup needs, too."""

    node: SetupNode
    addresses: Addresses
    installation: Installation
    services: tuple[Service, ...]
    """Of the PBX; those of its gates, where the profile cannot be read."""


def leave_serving(leaver: Leaver) -> Told:
    """Have every service address in a network file, and on the interface as a network manager would hold it.

    Never raises for what cannot be written: then it tells the line and where to write it, and the address stays on
    the interface until the next boot.
    """
    told: Told = []
    for each in leaver.installation.service_addresses:
        address = with_length_of(leaver.installation.own_address, each.address)
        told += _keep_address(leaver, each.interface, address)
    return told + _start_at_boot(leaver)


def leave_standing_by(leaver: Leaver) -> Told:
    """Give the service address up, keep it out of the network files, stop the PBX and let no boot start it.

    Raises Failed where the address could not be removed or the PBX not be stopped: then nothing may be taken away.
    """
    held = leaver.addresses.held(leaver.installation)
    leaver.addresses.drop(leaver.installation)
    told = [message("leave-address-gone", address=each) for each in held]
    told += _out_of_files(leaver)
    for each in reversed(leaver.services):
        services = leaver.node.services
        if services.is_running(each.unit):
            services.stop(each)
            told.append(message("leave-pbx-stopped", unit=each.unit))
        if services.starts_at_boot(each.unit):
            services.disable(each.unit)
        if services.starts_at_boot(each.unit):
            told.append(message("leave-gate-stays", unit=each.unit))
        else:
            services.ungate(each.unit)
            told.append(message("leave-pbx-disabled", unit=each.unit))
    return told


def _start_at_boot(leaver: Leaver) -> Told:
    """Nothing holds the PBX any more; what an earlier life as a standby switched off is on again."""
    told: Told = []
    services = leaver.node.services
    for each in leaver.services:
        services.ungate(each.unit)
        try:
            if not services.starts_at_boot(each.unit):
                services.enable(each.unit)
                told.append(message("leave-pbx-enabled", unit=each.unit))
            if not services.is_running(each.unit):
                services.start(each)
                told.append(message("leave-pbx-started", unit=each.unit))
        except BeistandError as error:
            told.append(message("leave-pbx-not-started", unit=each.unit, why=str(error.message)))
    return told


def _keep_address(leaver: Leaver, interface: str, address: str) -> Told:
    node, installation = leaver.node, leaver.installation
    ip, own = address.partition("/")[0], installation.own_address
    has_route = next((each.has_route for each in node.live.on(interface) if each.address == own), True)
    # Before its /32 goes: there is no gap. What the files say by then is another matter.
    node.live.add(interface, address, has_route=has_route)
    files: tuple[NetworkFile, ...] = ()
    manager = ""
    try:
        files = node.files.configuring(interface)
        if there := _bringing(files, ip):
            told = [message("leave-address-in-file", address=ip, path=there.shown)]
        else:
            changed = _with_address(node, files, interface, own, address)
            node.files.write(changed)
            manager = changed.manager
            node.managers.apply(manager, interface, (changed.path,))
            told = [message("leave-address-in-file", address=address, path=changed.path)]
    except BeistandError as error:
        told = [_to_write(files, interface, address, error)]
    try:
        await_manager(node, interface, manager, came=address, gone="")
        node.live.give_back(installation)
        _come_first(node, interface, address, own)
    except BeistandError as error:
        told.append(message("leave-address-unsettled", address=ip, why=str(error.message)))
    return told


def _with_address(
    node: SetupNode, files: tuple[NetworkFile, ...], interface: str, own: str, address: str
) -> NetworkFile:
    """Return the file that brings the own address with the service address before it.

    First, because a PBX that listens on all addresses answers from the first one. Raises Refused.
    """
    own_ip = own.partition("/")[0]
    home = next((each for each in files if own_ip in [one.ip for one in configured(each)]), None)
    if home is None:
        raise Refused("setup-address-in-no-file", address=own_ip, interface=interface)
    if program := node.files.generator(home):
        raise Refused("setup-file-generated", path=home.shown, program=program)
    node.files.check_writable(home)
    try:
        # What else speaks of the own address stays true: it stays an address of the machine.
        return added(replaced(home, own_ip, address, rest_may_stay=True), interface, own)
    except NotUnderstood:
        return added(home, interface, address)


def _bringing(files: Iterable[NetworkFile], ip: str) -> NetworkFile | None:
    return next((each for each in files if ip in [one.ip for one in configured(each)]), None)


def _to_write(files: tuple[NetworkFile, ...], interface: str, address: str, error: BeistandError) -> Message:
    manager = files[0].manager if files else ""
    return message(
        "leave-write-line",
        address=address,
        interface=interface,
        line=line_to_write(manager, interface, address),
        path=files[0].shown if files else "-",
        why=str(error.message),
    )


def _come_first(node: SetupNode, interface: str, address: str, own: str) -> None:
    """Make the service address the first one of the interface, as it will be after a boot.

    Not where a network manager makes the routes: they would go with the own address; it orders them itself.
    """
    there = [each for each in node.live.on(interface) if each.address in (address, own)]
    if len(there) == 2 and there[0].address == own and all(each.has_route for each in there):
        node.live.remove(interface, own)
        node.live.add(interface, own)


def _out_of_files(leaver: Leaver) -> Told:
    """Take the service addresses out of the network files: the next boot would bring them up a second time."""
    files = leaver.node.files
    ips = [each.address for each in leaver.installation.service_addresses]
    try:
        named = files.naming(ips)
        every = {each.shown: each for each in files.every() if not each.is_generated}
    except BeistandError as error:
        return [message("leave-files-not-read", address=", ".join(ips), why=str(error.message))]
    told: Told = []
    for place in named:
        file = every.get(place.path)
        if file is not None:
            told.append(_taken_out(leaver, file, place))
            every[place.path] = _read_again(leaver, file)
    return told


def _taken_out(leaver: Leaver, file: NetworkFile, place: Named) -> Message:
    fields: dict[str, Field] = {"address": place.address, "path": place.path, "line": place.line}
    own = leaver.installation.own_address
    try:
        if not place.is_understood:
            raise NotUnderstood(place.path, place.line, place.what)
        # A line that cannot be read protects none that can.
        changed, left = held_back(file, place.address, own, has_own=brings(file, own.partition("/")[0]))
        leaver.node.files.write(changed)
        if left:
            raise NotUnderstood(place.path, left[0].line, left[0].what)
    except BeistandError as error:
        return message("leave-address-stays-in-file", why=str(error.message), **fields)
    return message("leave-address-out-of-file", **fields)


def _read_again(leaver: Leaver, file: NetworkFile) -> NetworkFile:
    body = leaver.node.files.read(file.path)
    return file if body is None else msgspec.structs.replace(file, body=body)
