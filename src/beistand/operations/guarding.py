"""Hold the service address back before the network starts: no network file may bring it (F19).

It is taken out of the file, with the file kept as it was, instead of being filtered on its way out: a manager that
never learns of the address cannot announce it either, with frames of its own or when it is told to start again.
"""

from collections.abc import Callable

from beistand.domain.errors import BeistandError
from beistand.domain.guarding import GuardNote, HeldBack, LetPass, brings, held_back
from beistand.domain.installation import Installation
from beistand.domain.network_file import NetworkFile
from beistand.domain.network_file_edit import named
from beistand.ports.network_files import NetworkFiles


def hold_back(
    files: NetworkFiles, installation: Installation, keep: Callable[[NetworkFile], str]
) -> GuardNote:
    """Take every service address out of every network file, the generated ones too; return what was done.

    `keep` puts a file aside, durably, and returns where; nothing is changed before. One file that cannot be changed
    hinders no other. Raises Failed `network-file-not-read`.
    """
    every = files.every()
    addresses = [each.address for each in installation.service_addresses]
    held: list[HeldBack] = []
    passed: list[LetPass] = []
    for file in every:
        places = named(file, addresses)
        if not places:
            continue
        has_own = any(brings(each, installation.own_ip) for each in every if _is_read_beside(each, file))
        try:
            without = _without(file, {each.address for each in places}, installation, has_own=has_own)
            kept = "" if file.is_generated else keep(file)
            files.write(without)
        except BeistandError as error:
            passed += [LetPass(place=each, why=error.message) for each in places]
        else:
            held += [HeldBack(place=each, kept=kept) for each in places]
    return GuardNote(held=tuple(held), passed=tuple(passed))


def _is_read_beside(other: NetworkFile, file: NetworkFile) -> bool:
    return (other.manager, other.is_generated) == (file.manager, file.is_generated)


def _without(
    file: NetworkFile, addresses: set[str], installation: Installation, *, has_own: bool
) -> NetworkFile:
    for address in sorted(addresses):
        file = held_back(file, address, installation.own_address, has_own=has_own)
        has_own = True
    return file
