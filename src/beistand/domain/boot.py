"""Who may serve after a boot (R2) and what news from the peer means for the running agent (R3)."""

from datetime import timedelta
from enum import StrEnum

from beistand.domain.pair import Greeting
from beistand.domain.role import Grant, Standing, is_believable
from beistand.domain.value import Value

LONGEST_WAIT = timedelta(minutes=2)
"""After a cold start both may be coming back from one power cut, and the switch may be slower than both."""

FORK_LIMIT = timedelta(minutes=15)
"""Who served unverified for longer has calls and voicemail of its own: then nothing moves by itself."""


class Serve(Value, frozen=True, kw_only=True, tag="serve"):
    """Hold the address and run the PBX."""

    verified: bool
    """The peer agreed, or there is none."""


class Wait(Value, frozen=True, kw_only=True, tag="wait"):
    """Nobody answers yet: ask again."""


class Held(Value, frozen=True, kw_only=True, tag="held"):
    """The grant is ours, and something stands against serving: ask again on a timer and on carrier-up."""

    mac: str
    """Who answers for the service address; empty: strict mode waits for a click, or for the peer to give way."""


class Adopt(Value, frozen=True, kw_only=True, tag="adopt"):
    """The peer knows a higher grant: remember it, then judge again."""

    grant: Grant


class StandBy(Value, frozen=True, kw_only=True, tag="stand-by"):
    """Somebody else is the holder, or nobody yet."""


BootVerdict = Serve | Wait | Held | Adopt | StandBy


def boot_verdict(
    standing: Standing,
    greeting: Greeting | None,
    *,
    holder_macs: tuple[str, ...],
    is_paired: bool,
    waited_seconds: float,
    is_strict: bool,
) -> BootVerdict:
    """Judge one look around after a boot (R2).

    `holder_macs` answered ARP for a service address; `waited_seconds` counts from the first look with carrier.
    """
    theirs = pair_grant(standing, greeting) if greeting else None
    if theirs is not None and theirs.epoch > standing.epoch:
        return Adopt(grant=theirs)
    if not standing.is_holder:
        return StandBy()
    # Whoever it is, two at one address serve nobody. A peer below our epoch withdraws once it hears of us.
    if holder_macs:
        return Held(mac=holder_macs[0])
    if not is_paired:
        return Serve(verified=True)
    if greeting is not None:
        # Its claim may be past its last look for us: what we would add now, it would not see.
        is_taken = greeting.serving or is_claimed_there(standing, greeting)
        return Held(mac="") if is_taken else Serve(verified=True)
    if waited_seconds < LONGEST_WAIT.total_seconds():
        return Wait()
    return Held(mac="") if is_strict else Serve(verified=False)


def pair_grant(standing: Standing, greeting: Greeting) -> Grant | None:
    """Return the grant that the peer tells, if one of us two holds it.

    A number from an earlier pair of that machine means nothing here, however high it is; nor does one that no clicks
    can have led to (ADR 22).
    """
    told = greeting.grant
    if told is None or not is_believable(standing.epoch, told.epoch):
        return None
    return told if told.holder in (standing.me, greeting.appliance.node) else None


def is_claimed_there(standing: Standing, greeting: Greeting) -> bool:
    """Tell whether a takeover is under way at the peer that would mint a number above ours."""
    return greeting.claims > standing.epoch and is_believable(standing.epoch, greeting.claims)


class Action(StrEnum):
    """What the running agent does about a greeting."""

    KEEP = "keep"
    """Nothing changes; a server that hears this from a peer is verified."""
    ADOPT = "adopt"
    """Remember the peer's grant."""
    WITHDRAW = "withdraw"
    """Give up address and PBX at once, then remember the peer's grant."""
    HOLD = "hold"
    """The grant is ours, and the peer still serves below it or is about to take over: wait, and look again."""
    FORK = "fork"
    """Two histories: both are kept, nothing moves, a person chooses (R5)."""


def peer_news(standing: Standing, greeting: Greeting, *, serving: bool, unverified_seconds: float) -> Action:
    """Judge what the peer says while the agent runs (R3): the higher epoch wins.

    The exception: who served unverified for too long keeps serving, as long as the other does not serve.
    """
    known = pair_grant(standing, greeting)
    theirs = known.epoch if known else 0
    limit = FORK_LIMIT.total_seconds()
    if theirs > standing.epoch:
        if not serving:
            return Action.ADOPT
        is_fork = unverified_seconds > limit and not greeting.serving
        return Action.FORK if is_fork else Action.WITHDRAW
    if not standing.is_holder:
        return Action.WITHDRAW if serving else Action.KEEP
    if greeting.serving and not serving:
        return Action.FORK if greeting.served_unverified_seconds > limit else Action.HOLD
    if is_claimed_there(standing, greeting) and not serving:
        return Action.HOLD
    return Action.KEEP
