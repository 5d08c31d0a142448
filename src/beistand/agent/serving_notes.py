"""What the keeper remembers over a restart of the agent: this boot's check, and what it released."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from beistand.adapters.durable_file import write_durably
from beistand.domain.serving import Checked, release_counts
from beistand.domain.value import Value
from beistand.ports.store import Store

RELEASED = "released"


class BootNote:
    """The check in a file of /run."""

    def __init__(self, file: Path, monotonic: Callable[[], float]) -> None:
        self._file = file
        self._monotonic = monotonic

    def of(self, epoch: int) -> Checked | None:
        """Return the check that was made for this grant; a note that cannot be read is none."""
        checked = self._read()
        if checked is None:
            return None
        if epoch == checked.claim:
            return Checked(epoch=epoch, verified=True, since=checked.since)
        return checked if checked.epoch == epoch else None

    def is_there(self) -> bool:
        return self._file.exists()

    def claim(self, known: int, epoch: int) -> None:
        """Note a click for this epoch beside the check for the known one: who serves meanwhile goes on serving."""
        checked = self.of(known)
        if checked is None:
            self.write(epoch, verified=True)
            return
        write_durably(self._file, msgspec.json.encode(msgspec.structs.replace(checked, claim=epoch)))

    def write(self, epoch: int, *, verified: bool) -> None:
        before = self._read()
        claim = before.claim if before is not None and before.claim > epoch else 0
        checked = Checked(epoch=epoch, verified=verified, since=self._monotonic(), claim=claim)
        write_durably(self._file, msgspec.json.encode(checked))

    def _read(self) -> Checked | None:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Checked)
        except (OSError, msgspec.MsgspecError):
            return None

    def forget(self) -> None:
        self._file.unlink(missing_ok=True)


class Released(Value, frozen=True, kw_only=True):
    """Given up for the other side's claim; durable, taken back by `resume` or a person."""

    epoch: int


def released_for(store: Store) -> int:
    """Return the epoch that this appliance released for; 0: none. A grant as high ends it, too."""
    body = store.get(RELEASED)
    if not body:
        return 0
    epoch = msgspec.json.decode(body, type=Released).epoch
    return epoch if release_counts(epoch, store.standing()) else 0


def note_released(store: Store, epoch: int) -> None:
    # On a full disk, too: the other side waits for it.
    store.put(RELEASED, msgspec.json.encode(Released(epoch=epoch)), vital=True)


def forget_released(store: Store) -> None:
    store.put(RELEASED, b"", vital=True)
