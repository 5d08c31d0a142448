"""Who may serve on this appliance, and what each occasion changes, act by act (DESIGN R1 to R4).

The order of the acts is the safety: power or the agent may end between any two. The keeper and `converge` carry
them out; the model in the tests explores the same tuples with a crash between any two.
"""

from enum import StrEnum

from beistand.domain.boot import Action, pair_grant
from beistand.domain.pair import Greeting
from beistand.domain.role import Standing, is_believable
from beistand.domain.value import Value


class Checked(Value, frozen=True, kw_only=True):
    """This boot's check: gone with /run at the next boot, still there after a restart of the agent."""

    epoch: int
    """Of the grant it was made for: with any other one it does not count."""
    verified: bool
    since: float
    """Monotonic seconds at which serving began."""
    claim: int = 0
    """Epoch of a click of our own that is under way: once granted it counts, too; 0: none."""


class Act(StrEnum):
    """One change that is there as a whole or not at all."""

    NOTE_CHECK = "note-check"
    """This boot was checked for an epoch; in /run."""
    NOTE_CLAIM = "note-claim"
    """A click is the check for the epoch that it claims; beside the one for the present epoch; in /run."""
    VERIFY = "verify"
    """The check that counts is one that the peer agreed to; without one nothing changes."""
    FORGET_CHECK = "forget-check"
    NOTE_RELEASE = "note-release"
    """Given up for the claim of an epoch; durable."""
    FORGET_RELEASE = "forget-release"
    ADOPT_GRANT = "adopt-grant"
    """The peer's grant is the highest one known here; durable."""
    COMMIT_GRANT = "commit-grant"
    """A grant for this appliance, and the end of the plan, in one transaction."""
    HOLD_ADDRESS = "hold-address"
    """It stands on this machine, then the kernel's gate lets it speak."""
    OPEN_GATE = "open-gate"
    START_PBX = "start-pbx"
    DROP_ADDRESS = "drop-address"
    """The kernel's gate is shut, then it goes; also where it never stood."""
    CLOSE_GATE = "close-gate"
    STOP_PBX = "stop-pbx"


SERVE = (Act.HOLD_ADDRESS, Act.OPEN_GATE, Act.START_PBX)
"""Each only while `may_serve` still says so, in one moment with it."""

WITHDRAW = (Act.DROP_ADDRESS, Act.CLOSE_GATE, Act.STOP_PBX)
"""The address first: whoever takes over waits for nothing else. The gate before the services: nothing that ends
is started again."""

GIVE_UP = WITHDRAW[:2]
"""What is done in the very moment of the news; a PBX may take a minute to stop, which the next turn does."""

RELEASE = (Act.NOTE_RELEASE, *WITHDRAW)
"""The note first: a release that was begun is never half forgotten."""

TAKE_BACK = (Act.FORGET_CHECK, Act.FORGET_RELEASE)
"""A look around before serving, as after a boot: what was true before the release may be so no more."""

CLAIM = (Act.NOTE_CLAIM, Act.COMMIT_GRANT, *SERVE)
"""A takeover; the plan that can be undone stands between the first two. The note comes before the grant, so that
a kill right after the grant does not make everybody wait for a dead peer."""


def counts(checked: Checked | None, standing: Standing) -> bool:
    """Tell whether the check was made for the grant that is known now: a new epoch ends every older note."""
    return checked is not None and checked.epoch == standing.epoch


def release_counts(released: int, standing: Standing) -> bool:
    """Tell whether a release for this epoch still binds (0: none): a grant as high ends it."""
    return released > standing.epoch


def may_serve(standing: Standing, checked: Checked | None, released: int) -> bool:
    """Tell whether the grant is ours, this boot was checked for it, and nothing was released (I3)."""
    return standing.is_holder and counts(checked, standing) and not release_counts(released, standing)


def needs_check(standing: Standing, checked: Checked | None) -> bool:
    """Tell whether the peer and the network have to be asked (again) who may serve (R2)."""
    return standing.is_holder and not counts(checked, standing)


def may_take_over(standing: Standing, *, serving: bool, is_chosen_between: bool) -> bool:
    """Tell whether a click here takes over: not where we serve, unless a person chooses between two histories (R5).

    A holder that does not serve may be the one to serve by a click (I7).
    """
    return not (standing.is_holder and serving) or is_chosen_between


def is_asked_to_serve(standing: Standing, *, serving: bool) -> bool:
    """Tell whether "serve now" ends the wait for a silent peer: the grant is ours, and something holds us back."""
    return standing.is_holder and not serving


def may_release(standing: Standing, epoch: int) -> bool:
    """Tell whether the claim of this epoch may have what we hold: it must be above all that is known here, and near."""
    return epoch > standing.epoch and is_believable(standing.epoch, epoch)


def takes_back(released: int, standing: Standing, epoch: int) -> bool:
    """Tell whether `resume` of this epoch means the release that binds us now, and not an older one."""
    return released == epoch and release_counts(released, standing)


def release_is_void(released: int, standing: Standing, greeting: Greeting) -> bool:
    """Tell whether nothing comes any more of the claim that we released for, by what its owner says when asked.

    Asked after the release it names a claim that is still under way. A request to release may have come late, after
    the one to take it back: nobody else would ever end it (I8).
    """
    theirs = pair_grant(standing, greeting)
    is_granted = theirs is not None and theirs.epoch >= released
    return release_counts(released, standing) and greeting.claims < released and not is_granted


def gives_way(mine: float, theirs: float, *, my_mac: str, their_mac: str) -> bool:
    """Tell whether of two holders that no grant decides between we are the one to give up: the later one.

    Both tell for how many seconds they have been serving. Of two that began within a second the MACs decide, so that
    never both do.
    """
    if abs(mine - theirs) <= 1:
        return my_mac.lower() > their_mac.lower()
    return mine < theirs


def is_nobody_serving(greeting: Greeting | None, *, serving: bool, claims: int) -> bool:
    """Tell whether both can be heard, and neither serves nor is about to: telephony is dead, and nobody was told."""
    return greeting is not None and not (serving or greeting.serving or claims or greeting.claims)


def looks_again(checked: Checked | None, standing: Standing, *, holds: bool) -> bool:
    """Tell whether an agent that starts has to look around although this boot was checked.

    Without the address nobody was kept from taking it since; what the check saw is no longer sure (I1).
    """
    return counts(checked, standing) and not holds


def acts_on_news(action: Action, *, serving: bool, verified: bool) -> tuple[Act, ...]:
    """Return what the peer's words change here, in order (R3).

    The note goes first, so that no turn in between puts the address back, then the address: the grant is written to
    a disk, which may stall for as long as two would serve.
    """
    if action in {Action.ADOPT, Action.WITHDRAW}:
        return (Act.FORGET_CHECK, *GIVE_UP, Act.ADOPT_GRANT)
    if action in {Action.HOLD, Action.FORK} and not serving:
        # Somebody serves: the look around that was made behind a broken line says nothing any more.
        return (Act.FORGET_CHECK,)
    if action is Action.KEEP and serving and not verified:
        return (Act.VERIFY,)
    return ()
