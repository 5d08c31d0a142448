"""Hold the service address back before the network starts: no network file may bring it (F19).

It is taken out of the file, with the file kept as it was, instead of being filtered on its way out: a manager that
never learns of the address cannot announce it either, with frames of its own or when it is told to start again.
"""

from collections.abc import Callable

from beistand.domain.errors import BeistandError
from beistand.domain.guarding import GuardNote, HeldBack, LetPass, brings, held_back
from beistand.domain.installation import Installation
from beistand.domain.message import Message, message
from beistand.domain.network_file import Manager, Named, NetworkFile
from beistand.domain.network_file_edit import named
from beistand.ports.network_files import NetworkFiles


def hold_back(
    files: NetworkFiles, installation: Installation, keep: Callable[[NetworkFile], str]
) -> GuardNote:
    """Take every service address out of every network file, the generated ones too; return what was done.

    `keep` puts a file aside, durably, and returns where; nothing is changed before. One line or file that cannot be
    read or changed hinders no other.
    """
    every = files.every()
    addresses = [each.address for each in installation.service_addresses]
    # Where none of the files that are read together has the own address, it takes every place of the service address:
    # only their manager knows which of them is the one that counts.
    with_own = {_reader(each) for each in every if brings(each, installation.own_ip)}
    held: list[HeldBack] = []
    passed: list[LetPass] = []
    for file in every:
        places = named(file, addresses)
        sure = [each for each in places if each.is_understood]
        passed += [
            LetPass(place=each, why=_not_understood(each)) for each in places if not each.is_understood
        ]
        if not sure:
            continue
        try:
            without, left = _without(file, sure, installation, has_own=_reader(file) in with_own)
            kept = "" if file.is_generated or without == file else keep(file)
            if without != file:
                files.write(without)
        except BeistandError as error:
            passed += [LetPass(place=each, why=error.message) for each in sure]
        else:
            held += [HeldBack(place=each, kept=kept) for each in sure if each not in left]
            passed += [LetPass(place=each, why=_not_changed(each)) for each in left]
    return GuardNote(held=tuple(held), passed=tuple(passed))


def _reader(file: NetworkFile) -> tuple[Manager, bool]:
    """Return who reads the file: what netplan generated is read by another program than its source."""
    return file.manager, file.is_generated


def _without(
    file: NetworkFile, places: list[Named], installation: Installation, *, has_own: bool
) -> tuple[NetworkFile, list[Named]]:
    """Return the file without these places, and those that are left."""
    left: list[Named] = []
    after = file
    for address in sorted({each.address for each in places}):
        own = installation.own_address
        # Which lines stay is asked of the file as it is: a line that goes moves the numbers of those behind it.
        stays = {each.line for each in held_back(file, address, own, has_own=has_own)[1]}
        left += [each for each in places if each.address == address and each.line in stays]
        after, _ = held_back(after, address, own, has_own=has_own)
        has_own = True
    return after, left


def _not_understood(place: Named) -> Message:
    return message("network-file-not-understood", path=place.path, line=place.line, what=place.what)


def _not_changed(place: Named) -> Message:
    return message("network-file-not-understood", path=place.path, line=place.line, what=place.address)
