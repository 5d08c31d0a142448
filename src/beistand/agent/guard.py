"""`beistand-guard`: takes the service address out of network files before the network starts (DESIGN "Processes").

Only a second line: the service address stands in no network file, unless somebody put it there by hand. It reads
settings and network files, nothing else, waits for nothing, and ends with success whatever happens: a guard must
never be why a machine has no network. Imports little: it runs before everything else at every boot.
"""

from beistand.adapters.guard_notes import GuardNotes
from beistand.adapters.network_files import SystemNetworkFiles
from beistand.adapters.settings import read_installation
from beistand.agent.log import log, log_bug, log_message
from beistand.domain.errors import BeistandError, Refused
from beistand.domain.guarding import GuardNote
from beistand.operations.guarding import hold_back
from beistand.ports.network_files import NetworkFiles
from beistand.ports.places import Places


def main() -> int:
    """Guard this machine. Returns 0 in every case."""
    places = Places()
    try:
        guard(places, SystemNetworkFiles(), GuardNotes(places.guard_note, places.kept_network_files))
    except BeistandError as error:
        log_message(error.message, "error")
    except Exception:  # noqa: BLE001  the edge of the program: the network must start after any bug
        log_bug("guard")
    return 0


def guard(places: Places, files: NetworkFiles, notes: GuardNotes) -> GuardNote:
    """Hold back what brings the service address and write the note of it. Raises BeistandError."""
    try:
        installation = read_installation(places.etc)
    except Refused:
        return GuardNote()  # before `init` nothing is Beistand's
    note = hold_back(files, installation, notes.keep)
    for held in note.held:
        place = held.place
        log(
            "service-address-held-back",
            level="warning",
            address=place.address,
            path=place.path,
            line=place.line,
            kept=held.kept,
        )
    for passed in note.passed:
        place = passed.place
        log(
            "service-address-let-pass",
            level="error",
            address=place.address,
            path=place.path,
            line=place.line,
            why=str(passed.why),
        )
    # Started again in the same boot, it finds nothing: what it did before is told all the same.
    before = notes.read()
    notes.write(GuardNote(held=(*before.held, *note.held), passed=note.passed))
    return note
