"""Whether what a generation brings has room on the standby: asked before anything travels (B5)."""

import heapq
from collections import Counter
from collections.abc import Iterable

from beistand.domain.errors import NoSpace
from beistand.domain.generation import Generation
from beistand.domain.manifest import LONGEST_PATH, Entry, Kind, Portion, shown
from beistand.domain.message import printable
from beistand.operations.receiving import check_offer
from beistand.operations.staging import MARGIN, space_missing
from beistand.ports.node import Node
from beistand.protocol import FolderNeed, MakeRoom, OfferAnswer
from beistand.protocol.peer import MOST_BYTES, MOST_FOLDERS

FOLDERS_COUNTED = 10_000
"""A seed may bring millions; what is not counted is checked by the standby itself, when it has arrived."""


def room_needed(portions: Iterable[Portion]) -> MakeRoom:
    """Return what the standby needs at least: in its inbox, and in staging beside each folder."""
    arriving, largest = 0, FolderNeed(path="", size=0)
    folders: Counter[str] = Counter()
    for portion in portions:
        arriving += sum(each.size for each in portion.to_send)
        for entry in filter(None, map(_brings, portion.changes)):
            path = entry.path.removeprefix("database:")
            folder = path.rpartition("/")[0] or "/"
            if folder in folders or len(folders) < FOLDERS_COUNTED:
                folders[folder] += entry.size
            if entry.size > largest.size:
                largest = FolderNeed(path=printable(shown(path))[:LONGEST_PATH], size=entry.size)
    told = ((size, folder) for folder, size in folders.items() if folder.isprintable())
    return MakeRoom(
        arriving=min(arriving, MOST_BYTES),
        folders=tuple(
            FolderNeed(path=folder, size=min(size, MOST_BYTES))
            for size, folder in heapq.nlargest(MOST_FOLDERS, told)
        ),
        largest=largest,
    )


def answer_offer(node: Node, generation: Generation) -> OfferAnswer:
    """Check an offer; for want of room first throw away what earlier transfers left. Raises as `check_offer` does."""
    try:
        return check_offer(node, generation)
    except NoSpace:
        clear_inbox(node)
        return check_offer(node, generation)


def make_room(node: Node, request: MakeRoom) -> None:
    """Return when there is room for what is about to travel; what lies in the inbox may go for it.

    Raises NoSpace `no-room-for-generation`. Whoever asks may be wrong: what arrives is checked again.
    """
    needs = Counter({node.disk.mount_of(f"{node.places.inbox}/files/x"): request.arriving})
    for folder in request.folders:
        needs[node.disk.mount_of(f"{folder.path}/x")] += folder.size
    if not space_missing(node, needs):
        return
    # An interrupted transfer goes on where it was while there is room for it; here there is none.
    clear_inbox(node)
    for mount, needed, free in space_missing(node, needs):
        raise NoSpace(
            "no-room-for-generation",
            mount=shown(mount),
            needed=needed - MARGIN,
            free=max(0, free - MARGIN),
            path=request.largest.path,
            size=request.largest.size,
        )


def clear_inbox(node: Node) -> None:
    """Throw away what the peer's account holds there, whatever it is: dumps travel whole once more."""
    node.disk.clear(node.places.inbox, "")


def _brings(change: tuple[str, Entry | None, Entry | None]) -> Entry | None:
    """Return the entry if new content has to be staged for it."""
    _, old, new = change
    if new is None or new.kind not in (Kind.FILE, Kind.DATABASE):
        return None
    return None if old is not None and (old.kind, old.digest) == (new.kind, new.digest) else new
