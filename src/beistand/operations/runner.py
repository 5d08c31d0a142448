"""Carry a takeover's plan to one of its two ends: everything done and granted, or everything undone."""

import msgspec

from beistand.domain.errors import BeistandError, Failed
from beistand.domain.message import Message, message
from beistand.domain.plan import Item, Status
from beistand.domain.role import Grant
from beistand.operations.takeover import Reach, TakeoverPlan
from beistand.ports.node import Node
from beistand.ports.progress import UNWATCHED, Progress
from beistand.ports.store import Store


def run(plan: TakeoverPlan, reach: Reach, grant: Grant, progress: Progress) -> Message | None:
    """Run the plan and commit the grant; return None, or why everything was undone instead.

    The journal knows of each act before it happens. A failing `do`, a cancelled job and a grant that was
    overtaken turn the plan round. A failing `undo` is raised as Failed `undo-failed`: the plan stays in the journal
    and `recover_plan` tries the same undo again. Order is the safety: nothing that comes before it is undone first.
    """
    store = reach.node.store
    plan = after_leftovers(_load(store), plan)
    while not plan.backing_out and (index := plan.next()) is not None:
        plan = plan.started(index)
        _save(store, plan)
        step = plan.items[index].step
        try:
            progress.stage(step.describe().code.removeprefix("step."))
            step.do(reach)
        except BeistandError as error:
            plan = plan.backed_out(error.message)
        else:
            plan = plan.finished(index)
    if not plan.backing_out:
        try:
            store.close_plan(grant)
        except BeistandError as error:
            plan = plan.backed_out(error.message)
        else:
            return None
    _back_out(plan, reach, progress)
    return plan.why


def recover_plan(node: Node, reach: Reach | None = None) -> bool:
    """Undo a plan that a crash cut short or whose undo failed; return whether there was one.

    Undone, not continued: the click was for then. Raises Failed `undo-failed`.
    """
    plan = _load(node.store)
    if plan is None:
        return False
    _back_out(plan.backed_out(message("interrupted")), reach or Reach(node=node), UNWATCHED)
    return True


def after_leftovers(old: TakeoverPlan | None, plan: TakeoverPlan) -> TakeoverPlan:
    """Return the plan behind the steps of an older one that could not be undone, so that its undo covers both.

    The peer that was asked to release may be dead by now: that must not stand in the way of a new click.
    """
    touched = {Status.DOING, Status.DONE, Status.UNDOING}
    left = [item for item in old.items if item.status in touched] if old else []
    return TakeoverPlan(items=(*(Item(step=each.step, status=Status.DONE) for each in left), *plan.items))


def _back_out(plan: TakeoverPlan, reach: Reach, progress: Progress) -> None:
    try:
        _undo(plan, reach, progress)
    except BeistandError as error:
        raise Failed("undo-failed", why=str(plan.why or ""), undo=str(error.message)) from error


def _undo(plan: TakeoverPlan, reach: Reach, progress: Progress) -> None:
    store = reach.node.store
    _save(store, plan)
    while (index := plan.next()) is not None:
        plan = plan.started(index)
        _save(store, plan)
        progress.turn_back("undo")
        plan.items[index].step.undo(reach)
        plan = plan.finished(index)
    store.close_plan(None)


def _save(store: Store, plan: TakeoverPlan) -> None:
    store.save_plan(msgspec.json.encode(plan))


def _load(store: Store) -> TakeoverPlan | None:
    body = store.plan()
    return msgspec.json.decode(body, type=TakeoverPlan) if body else None
