"""States that wait for a person, and what that person can do about each (I7: one click leads to one server)."""

from enum import StrEnum

from beistand.domain.job import Job
from beistand.domain.setup import Stage
from beistand.domain.value import Value


class Where(StrEnum):
    HERE = "here"
    THERE = "there"
    """On the other appliance: its page or its command line."""
    NOWHERE = "nowhere"
    """With hands, or by waiting."""


class HeldBy(StrEnum):
    """Why a holder of the grant does not serve."""

    NOBODY = ""
    PEER = "peer"
    STRANGER = "stranger"
    STRICT = "strict"
    """The peer is silent, and strict mode wants a click."""


class Choice(Value, frozen=True, kw_only=True):
    """One thing that can be done; `choice.<code>` in the catalogue says what then happens."""

    code: str
    where: Where
    command: str = ""
    """To be typed on the appliance that `where` names."""
    page: str = ""
    """Name of the page there that does the same: `takeover` or `backups`."""


class Predicament(Value, frozen=True, kw_only=True):
    """Everything that the choices depend on."""

    state: str
    """As `beistand status` has it."""
    serving: bool = False
    held_by: HeldBy = HeldBy.NOBODY
    is_fork_open: bool = False
    """Two clicks made two histories, and nobody chose between them yet."""
    is_undo_open: bool = False
    """A takeover here broke off, and the other one was not told so yet: it may have given up for it."""


CONFIRM_SETUP, UNDO_SETUP = "beistand setup --confirm", "beistand setup --undo"
END_TAKEOVER = "beistand takeover --cancel"
TAKEOVER, RETRY, BACKUPS = "beistand takeover", "beistand retry", "beistand backup list"
TAKEOVER_PAGE, BACKUPS_PAGE = "takeover", "backups"

_KEEP_HERE = Choice(code="keep-serving-here", where=Where.HERE, command=TAKEOVER, page=TAKEOVER_PAGE)
_SERVE_HERE = Choice(code="serve-here", where=Where.HERE, command=TAKEOVER, page=TAKEOVER_PAGE)
_SERVE_THERE = Choice(code="serve-there", where=Where.THERE, command=TAKEOVER, page=TAKEOVER_PAGE)
_KEEP_THERE = Choice(code="keep-serving-there", where=Where.THERE, command=TAKEOVER, page=TAKEOVER_PAGE)
_TRY_AGAIN = Choice(code="try-again", where=Where.HERE, command=RETRY, page=TAKEOVER_PAGE)
_SERVE_NOW = Choice(code="serve-now", where=Where.HERE, command=RETRY, page=TAKEOVER_PAGE)
_TAKE_BACK = Choice(code="take-back", where=Where.HERE, command=RETRY, page=TAKEOVER_PAGE)
_TAKE_OVER_AGAIN = Choice(code="take-over-again", where=Where.HERE, command=TAKEOVER, page=TAKEOVER_PAGE)
_TAKE_BACK_THERE = Choice(code="take-back-there", where=Where.THERE, command=RETRY, page=TAKEOVER_PAGE)
_KEPT_DATA = Choice(code="look-at-kept-data", where=Where.HERE, command=BACKUPS, page=BACKUPS_PAGE)
_WAIT_FOR_PEER = Choice(code="wait-for-peer", where=Where.NOWHERE)
_UNPLUG_STRANGER = Choice(code="unplug-stranger", where=Where.NOWHERE)
_LEAVE_IT = Choice(code="leave-it", where=Where.NOWHERE)
_LET_IT_END = Choice(code="let-it-end", where=Where.NOWHERE)
_TAKE_OVER_NOW = Choice(code="take-over-now", where=Where.HERE, command=TAKEOVER, page=TAKEOVER_PAGE)
_CONFIRM_SETUP = Choice(code="confirm-setup", where=Where.HERE, command=CONFIRM_SETUP)
_UNDO_SETUP = Choice(code="undo-setup", where=Where.HERE, command=UNDO_SETUP)
_LET_SETUP_LAPSE = Choice(code="let-setup-lapse", where=Where.NOWHERE)
_SWITCH_OFF_PEER = Choice(code="switch-off-peer", where=Where.NOWHERE)
_END_TAKEOVER = Choice(code="end-takeover", where=Where.HERE, command=END_TAKEOVER, page=TAKEOVER_PAGE)


def choices(seen: Predicament) -> tuple[Choice, ...]:
    """Return what a person can do, the likeliest first; nothing where nobody is waited for."""
    if seen.is_undo_open and not seen.serving:
        # Before all others: what they say of the other one, that it serves, is not so.
        return (_WAIT_FOR_PEER, _TAKE_OVER_AGAIN, _TAKE_BACK_THERE)
    if seen.state == "forked":
        return (_KEEP_HERE, _SERVE_THERE) if seen.serving else (_KEEP_THERE, _SERVE_HERE)
    if seen.is_fork_open:
        of_the_data = () if seen.serving else (_KEPT_DATA,)
        return ((_KEEP_HERE, _SERVE_THERE) if seen.serving else (_KEEP_THERE, _SERVE_HERE)) + of_the_data
    if seen.state == "held":
        return _HELD[seen.held_by]
    if seen.state == "recovering":
        return (_LET_IT_END,) if seen.serving else (_LET_IT_END, _TAKE_OVER_NOW)
    return _BY_STATE.get(seen.state, ())


def setup_choices(stage: Stage | None) -> tuple[Choice, ...]:
    """Return what a person can do about a setup at this stage; None: there is none."""
    if stage is Stage.WAITING:
        return (_CONFIRM_SETUP, _UNDO_SETUP, _LET_SETUP_LAPSE)
    return (_UNDO_SETUP,) if stage is Stage.UNDOING else ()


def job_choices(job: Job | None) -> tuple[Choice, ...]:
    """Return what a person can do about the job that runs, where it waits for one."""
    return (_SWITCH_OFF_PEER, _END_TAKEOVER) if job is not None and job.stage == "await-silence" else ()


_HELD: dict[HeldBy, tuple[Choice, ...]] = {
    HeldBy.NOBODY: (_WAIT_FOR_PEER, _SERVE_NOW),
    HeldBy.PEER: (_WAIT_FOR_PEER, _SERVE_HERE, _KEEP_THERE),
    HeldBy.STRANGER: (_UNPLUG_STRANGER, _TRY_AGAIN),
    HeldBy.STRICT: (_SERVE_NOW, _WAIT_FOR_PEER),
}
_BY_STATE: dict[str, tuple[Choice, ...]] = {
    "active-failed": (_TRY_AGAIN, _SERVE_THERE),
    "released": (_SERVE_THERE, _TAKE_BACK),
    "superseded": (_LEAVE_IT, _SERVE_HERE, _KEPT_DATA),
    "unverified": (_WAIT_FOR_PEER, _SERVE_THERE),
    "checking": (_WAIT_FOR_PEER, _SERVE_NOW),
}
STATES = frozenset(_BY_STATE) | {"forked", "held", "recovering"}
"""Every state in which a person may have to decide."""
