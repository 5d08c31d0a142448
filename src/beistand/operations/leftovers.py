"""What a cycle or an import left behind that could not even write down how it ended (F2, F3)."""

from beistand.domain.generation import CopyState
from beistand.domain.imports import UNDO_FORM
from beistand.operations.importing import live_generation, recover_import
from beistand.operations.lineage import load_lineage
from beistand.operations.tries import STAGE_AFTER, UNDER_WAY, close_interrupted
from beistand.ports.node import Node
from beistand.ports.progress import Progress


def has_leftovers(node: Node) -> bool:
    """Tell whether there are any; only while no job runs, which is in the middle of making them."""
    lineage, me = load_lineage(node), node.store.standing().me
    undos = {each for each in node.disk.names(node.places.state / "undo") if UNDO_FORM.fullmatch(each)}
    if lineage.moving is not None or undos - set(lineage.undos) or node.store.get(UNDER_WAY):
        return True
    live = live_generation(node)
    return any(
        each.state in STAGE_AFTER
        if each.generation.source == me
        else each.state is CopyState.VERIFIED and (live is None or each.generation.id != live.id)
        for each in node.store.copies()
    )


def clear_leftovers(node: Node, job: Progress) -> None:
    """Bring the live trees to a whole generation, and every record to what is there. Idempotent."""
    recover_import(node, job)
    close_interrupted(node)
