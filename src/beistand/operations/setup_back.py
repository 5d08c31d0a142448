"""The way back of a setup: files as they were, the address in them and on the interface, without a gap."""

from collections.abc import Callable

import msgspec

from beistand.domain.errors import BeistandError, Failed, Refused
from beistand.domain.message import Message
from beistand.domain.network_file import NetworkFile
from beistand.domain.network_file_edit import added, configured, replaced
from beistand.domain.profile import Profile
from beistand.domain.setup import ChangedFile, Setup, Stage
from beistand.operations.setup import SetupNode, as_file, await_manager, installation_of

GIVE_BACK_LOOKS = 10


def restored_files(node: SetupNode, setup: Setup) -> tuple[ChangedFile, ...]:
    """Return the files with what is to be written as `before`: byte by byte as they were.

    In one that somebody changed since the setup the address is put back and the rest stays as it is now. Raises
    Refused `setup-file-changed` where that cannot be done.
    """
    return tuple(_restored(node, setup, each) for each in setup.files)


def go_back(
    node: SetupNode,
    setup: Setup,
    why: Message,
    profile: Profile,
    *,
    forget_settings: Callable[[], None],
    become_nothing: Callable[[], None],
) -> Setup:
    """Put everything back as it was; return the journal as it is then. Repeatable after any interruption.

    `forget_settings` takes installation.toml away; `become_nothing` ends identity, gate and keeping. Settings go
    before the files come, identity goes last: whatever holds the address does so until the network file's own is
    there. Raises what ports raise: then the journal says `undoing`, and it is to be tried again.
    """
    setup = msgspec.structs.replace(setup, stage=Stage.UNDOING, why=why)
    node.save(setup)
    forget_settings()
    for each in setup.files:
        node.files.write(as_file(each, setup.manager, each.before))
    node.live.add(setup.interface, setup.service_address, has_route=setup.has_route)
    node.managers.apply(setup.manager, setup.interface, tuple(each.path for each in setup.files))
    await_manager(node, setup.interface, setup.manager, came=setup.service_address, gone=setup.own_address)
    become_nothing()
    _give_back(node, setup)
    _start_again(node, setup, profile)
    ended = msgspec.structs.replace(setup, stage=Stage.UNDONE)
    node.save(ended)
    return ended


def _restored(node: SetupNode, setup: Setup, changed: ChangedFile) -> ChangedFile:
    now = node.files.read(changed.path)
    if now is None or now in (changed.before, changed.after):
        return changed
    file, own = as_file(changed, setup.manager, now), setup.own_ip
    was_prepared = _brings(as_file(changed, setup.manager, changed.before), own)
    try:
        if was_prepared:
            edited = added(file, setup.interface, setup.service_address)
        else:
            edited = replaced(file, own, setup.service_address)
    except Refused as error:
        raise Refused("setup-file-changed", path=changed.path, why=str(error.message)) from error
    if not _brings(edited, setup.service_ip):
        raise Refused("setup-file-changed", path=changed.path, why="")
    return msgspec.structs.replace(changed, before=edited.body)


def _brings(file: NetworkFile, ip: str) -> bool:
    return ip in [each.ip for each in configured(file)]


def _give_back(node: SetupNode, setup: Setup) -> None:
    """Take away what the agent held. A turn that began before its end may put it there once more: look again."""
    installation = installation_of(setup)
    held = f"{setup.service_ip}/32"
    for _ in range(GIVE_BACK_LOOKS):
        node.live.give_back(installation)
        node.wait(0.02)
    if held in [each.address for each in node.live.on(setup.interface)]:
        raise Failed("address-not-removed", why=held)


def _start_again(node: SetupNode, setup: Setup, profile: Profile) -> None:
    """Start what ran before: after a power cut the gate kept it from starting."""
    for service in profile.services:
        if service.unit in setup.running and not node.services.is_running(service.unit):
            try:
                node.services.start(service)
            except BeistandError as error:
                raise Failed("setup-pbx-not-started", unit=service.unit, why=str(error.message)) from error
