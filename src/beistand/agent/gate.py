"""`beistand-gate`: shuts the kernel's gate of the service addresses before the network starts (DESIGN "The gate").

Only the agent opens it again, where it holds the address under a grant. It reads the settings, nothing else, needs no
interface, and ends with success whatever happens: it must never be why a machine has no network. Imports little.
"""

from beistand.adapters.address_gate import KernelAddressGate
from beistand.adapters.durable_file import write_durably
from beistand.adapters.settings import read_installation, read_loosely
from beistand.agent.log import log, log_bug, log_message
from beistand.domain.errors import BeistandError, Failed, Refused
from beistand.domain.installation import Installation
from beistand.ports.address_gate import AddressGate
from beistand.ports.places import Places


def main() -> int:
    """Shut this machine's gate. Returns 0 in every case."""
    try:
        shut_at_boot(Places(), KernelAddressGate())
    except BeistandError as error:
        log_message(error.message, "error")
    except Exception:  # noqa: BLE001  the edge of the program: the network must start after any bug
        log_bug("gate")
    return 0


def shut_at_boot(places: Places, gate: AddressGate) -> bool:
    """Shut the gate, once in this boot; return whether it was done.

    Whoever starts the unit again does so on a machine that may serve: the gate is the agent's by then.
    """
    note = places.run / "gate"
    if note.exists():
        return False
    installation = _installation(places)
    if installation is None:
        return False  # before `init` nothing is Beistand's
    gate.silence(installation)
    if missing := gate.missing():
        log("gate-incomplete", level="error", families=", ".join(missing))
    write_durably(note, b"")
    return True


def _installation(places: Places) -> Installation | None:
    try:
        return read_installation(places.etc)
    except Refused:
        return None
    except Failed:
        # Damaged settings: the agent will not serve with them, and what they still say is kept silent.
        return read_loosely(places.etc)
