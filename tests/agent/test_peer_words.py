"""What a broken-in peer says: checked like a person's input, told, and never in the way of a takeover."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, time
from typing import Any

import msgspec
import pytest

from beistand.agent.caller import Caller
from beistand.domain.account import Account, AccountRole
from beistand.domain.config import ModuleConfig, Standby
from beistand.domain.errors import Refused
from beistand.domain.job import Job, JobState
from beistand.domain.mail import MailServer, MailText
from beistand.domain.role import LARGEST_JUMP, MOST_EPOCH, POSSIBLE_EPOCH
from beistand.domain.schedule import Interval, Schedule
from beistand.domain.settings import PairSettings
from beistand.protocol import (
    ForgetEpoch,
    GetEpoch,
    GetStatus,
    Greet,
    PlanTakeover,
    PushConfig,
    PushSettings,
    PutAccount,
    Release,
    RemoveAccount,
    SetConfig,
    StartTakeover,
    WatchJob,
)
from beistand.text import LANGUAGES, sentence
from fakes.agents import THE_PEER, OneOfTwo, TwoAgents
from fakes.situations import NOW, A, B, grant

NEVER = Schedule(interval=Interval.DAY, start=date(9999, 12, 31), at=time(23, 59))
ABSURD_SCHEDULES = [
    msgspec.structs.replace(NEVER, interval=interval, every=every, start=start)
    for interval in Interval
    for every in (1, 1000)
    for start in (date(1, 1, 1), date(1969, 12, 31), date(3000, 1, 1), date(9999, 12, 31))
]
EPOCHS = [LARGEST_JUMP + 3, POSSIBLE_EPOCH + 1, 2**53, MOST_EPOCH, 2**63 - 2, 2**63 - 1]


def findings(one: OneOfTwo) -> dict[str, Any]:
    return {each.code: each for each in one.ask(GetStatus()).findings}


def takeover(one: OneOfTwo) -> Job:
    plan = one.ask(PlanTakeover())
    codes = tuple(each.code for each in plan.findings)
    job = one.ask(StartTakeover(digest=plan.digest, accept=codes, operator="anna"))
    while job.state is JobState.RUNNING:
        job = one.ask(WatchJob(id=job.id, seen=job.revision, seconds=5))
    return job


def serves_after_the_death_of_the_peer(two: TwoAgents) -> None:
    two.a.off()
    two.clock.advance(60)
    job = takeover(two.b)
    assert job.state is JobState.DONE, job.error
    assert two.b.serves


# --- schedules -----------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["schedule", "backup_schedule"])
@pytest.mark.parametrize("schedule", ABSURD_SCHEDULES)
def test_an_absurd_schedule_is_refused_and_told(two: TwoAgents, schedule: Schedule, field: str) -> None:
    two.turns(2)
    wanted = msgspec.structs.replace(two.b.store.config(), revision=9, **{field: schedule})
    with pytest.raises(Refused):
        two.b.ask(PushConfig(config=wanted), THE_PEER)
    assert getattr(two.b.store.config(), field) is None
    assert findings(two.b)["peer-not-believed"].fields["what"] in ("config", "words")


@pytest.mark.parametrize("schedule", ABSURD_SCHEDULES)
def test_an_absurd_schedule_that_was_stored_before_ends_nothing(two: TwoAgents, schedule: Schedule) -> None:
    two.b.store.set_config(msgspec.structs.replace(two.b.store.config(), schedule=schedule))
    two.turns(2)
    assert "not-judged" not in findings(two.b)
    serves_after_the_death_of_the_peer(two)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "\x1b[2J"},
        {"name": " "},
        {"mail_address": "nobody"},
        {"licence_key": "x"},
        {"standby": Standby(server="999.1.1.1")},
        {"replug": ("x",) * 51},
        {"revision": 2**63 - 1},
        {"revision": 2_000_000},
    ],
)
def test_a_configuration_passes_the_checks_of_a_persons(two: TwoAgents, changes: dict[str, Any]) -> None:
    two.turns(2)
    before = two.b.store.config()
    with pytest.raises(Refused):
        two.b.ask(PushConfig(config=ModuleConfig(**changes)), THE_PEER)
    assert two.b.store.config() == before


def test_the_finding_ends_with_the_next_right_word(two: TwoAgents) -> None:
    two.turns(2)
    with pytest.raises(Refused):
        two.b.ask(PushConfig(config=ModuleConfig(schedule=NEVER)), THE_PEER)
    assert "peer-not-believed" in findings(two.b)
    two.b.ask(PushConfig(config=ModuleConfig(revision=3)), THE_PEER)
    two.turns(1)
    assert "peer-not-believed" not in findings(two.b)


# --- accounts and mails --------------------------------------------------------------------


def account(name: str = "eve", verifier: str = "fake$1$x", role: str = "administrator") -> Account:
    return Account(name=name, role=AccountRole(role), verifier=verifier, since=NOW)


@pytest.mark.parametrize(
    "settings",
    [
        PairSettings(accounts=(account(verifier="$argon2id$v=19$m=4294967295,t=9999,p=255$YWFh$YWFh"),)),
        PairSettings(accounts=(account(name="Eve \x1b[31m"),)),
        PairSettings(accounts=(account(), account())),
        PairSettings(accounts=tuple(account(name=f"eve{each}") for each in range(101))),
        PairSettings(mail_server=MailServer(host="a host", sender="a@example.net")),
        PairSettings(mail_server=MailServer(host="example.net", sender="nobody")),
        PairSettings(mail_texts=(MailText(kind="users-takeover", subject="{x}", body="b"),)),
        PairSettings(revision=2**63 - 1),
    ],
)
def test_accounts_and_mail_settings_pass_the_checks_of_a_persons(
    two: TwoAgents, settings: PairSettings
) -> None:
    two.turns(2)
    before = two.b.store.settings()
    with pytest.raises(Refused):
        two.b.ask(PushSettings(settings=settings), THE_PEER)
    assert two.b.store.settings() == before
    assert "peer-not-believed" in findings(two.b)


# --- what the console takes back -------------------------------------------------------------


def test_the_console_takes_back_what_a_silent_active_pushed(two: TwoAgents) -> None:
    two.turns(2)
    two.b.ask(PushConfig(config=ModuleConfig(name="Hacked", active=False, revision=5)), THE_PEER)
    two.b.ask(PushSettings(settings=PairSettings(accounts=(account(),), revision=5)), THE_PEER)
    with pytest.raises(Refused, match="configure-on-the-active"):
        two.b.ask(SetConfig(config=two.b.config(active=True)))
    two.a.off()
    two.clock.advance(60)
    assert two.b.ask(SetConfig(config=two.b.config(active=True, name="Ours"))).name == "Ours"
    two.b.ask(PutAccount(name="anna", role=AccountRole.ADMINISTRATOR, password="korrekt pferd batterie"))
    two.b.ask(RemoveAccount(name="eve"))
    assert [each.name for each in two.b.store.settings().accounts] == ["anna"]


def test_only_the_console_takes_it_back(two: TwoAgents) -> None:
    """A page of the standby, with an account that the active may have made, does not."""
    two.turns(2)
    two.a.off()
    two.clock.advance(60)
    page = Caller(uid=1, user="beistand-web", role=AccountRole.ADMINISTRATOR, sure_as="eve", account="eve")
    with pytest.raises(Refused):
        two.b.ask(SetConfig(config=two.b.config(name="x")), page)


# --- numbers -------------------------------------------------------------------------------


def lie(two: TwoAgents, epoch: int, claims: int = 0, holder: str = B) -> None:
    """B's greeting with these numbers arrives at A."""
    greeting = two.b.agent.greeting()
    told = msgspec.structs.replace(greeting, grant=grant(epoch, holder), claims=claims)
    two.a.ask(Greet(greeting=told), THE_PEER)


@pytest.mark.parametrize("epoch", EPOCHS)
def test_a_number_that_no_clicks_can_lead_to_moves_nobody(two: TwoAgents, epoch: int) -> None:
    two.turns(2)
    lie(two, epoch, claims=epoch)
    two.a.turn()
    assert two.a.serves
    assert two.a.store.standing().epoch == 2
    assert findings(two.a)["peer-not-believed"].fields["what"] == "epoch"
    two.turns(2)
    assert "peer-not-believed" not in findings(two.a)


@pytest.mark.parametrize("epoch", EPOCHS)
def test_nobody_releases_for_an_impossible_number(two: TwoAgents, epoch: int) -> None:
    two.turns(2)
    with pytest.raises(Refused, match="epoch-jump"):
        two.a.ask(Release(epoch=epoch), THE_PEER)
    assert two.a.serves


@pytest.mark.parametrize("epoch", EPOCHS)
def test_a_takeover_beside_a_peer_with_an_impossible_number_works(two: TwoAgents, epoch: int) -> None:
    two.turns(2)
    greeting = two.a.agent.greeting()
    two.b.ask(Greet(greeting=msgspec.structs.replace(greeting, grant=grant(epoch, A))), THE_PEER)
    serves_after_the_death_of_the_peer(two)
    assert two.b.store.standing().epoch == 3


@pytest.mark.parametrize("jump", [1, 2, 40, LARGEST_JUMP])
def test_a_number_that_clicks_may_have_led_to_is_followed(two: TwoAgents, jump: int) -> None:
    """One of the two may have been away for years (R3)."""
    two.turns(2)
    lie(two, 2 + jump)
    two.a.turn()
    assert two.a.is_clean
    assert two.a.store.standing().epoch == 2 + jump


@pytest.mark.parametrize("epoch", [POSSIBLE_EPOCH + 1, MOST_EPOCH + 1, 2**63 - 1])
@pytest.mark.parametrize("word", ["forget", "VERGESSEN"])
def test_an_impossible_number_that_was_stored_is_forgotten_at_the_console(
    two: TwoAgents, epoch: int, word: str
) -> None:
    two.turns(2)
    two.b.store.adopt(grant(epoch, A))
    two.a.off()
    two.clock.advance(60)
    assert "epoch-impossible" in findings(two.b)
    if epoch > MOST_EPOCH:
        with pytest.raises(Refused, match="epoch-impossible"):
            two.b.ask(PlanTakeover())
    with pytest.raises(Refused, match="forget-word"):
        two.b.ask(ForgetEpoch(word="yes"))
    view = two.b.ask(ForgetEpoch(word=word))
    assert not view.is_impossible
    assert not two.b.machine.held, "forgetting grants nothing"
    assert takeover(two.b).state is JobState.DONE
    assert two.b.serves


def test_an_active_that_withdrew_for_a_lie_is_still_its_own_data(two: TwoAgents) -> None:
    """I10: what it served is not taken for a copy that an import may replace."""
    two.turns(2)
    two.a.store.adopt(grant(2**63 - 1, B))
    two.a.turn()
    two.b.off()
    two.clock.advance(60)
    two.a.ask(ForgetEpoch(word="forget"))
    assert two.a.store.standing().has_own_data
    assert two.a.store.standing().epoch == 2
    assert takeover(two.a).state is JobState.DONE
    assert two.a.serves


def test_a_number_that_may_be_right_is_not_forgotten(two: TwoAgents) -> None:
    two.turns(2)
    with pytest.raises(Refused, match="epoch-possible"):
        two.b.ask(ForgetEpoch(word="forget"))
    assert two.b.ask(GetEpoch()).epoch == "2"


# --- times and signs ----------------------------------------------------------------------------


@pytest.mark.parametrize("now", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_times_that_nobody_lives_in_are_no_words(two: TwoAgents, now: datetime) -> None:
    two.turns(2)
    greeting = two.a.agent.greeting()
    absurd = msgspec.structs.replace(greeting.appliance, now=now)
    with pytest.raises(Refused, match="peer-word-absurd"):
        two.b.ask(Greet(greeting=msgspec.structs.replace(greeting, appliance=absurd)), THE_PEER)
    assert "peer-not-believed" in findings(two.b)
    serves_after_the_death_of_the_peer(two)


def test_an_answer_is_checked_like_a_request(two: TwoAgents) -> None:
    two.turns(2)
    honest = two.a.agent.greeting

    def lying() -> Any:
        greeting = honest()
        absurd = msgspec.structs.replace(greeting.appliance, host="\x1b]0;x\x07")
        return msgspec.structs.replace(greeting, appliance=absurd)

    two.a.agent.greeting = lying  # type: ignore[method-assign]
    assert two.b.agent.link.ask() is None
    assert "peer-not-believed" in findings(two.b)
    serves_after_the_death_of_the_peer(two)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_that_moves_the_cursor_is_shown_plainly(two: TwoAgents, language: str) -> None:
    from beistand.domain.message import message

    told = sentence(message("name-twice", name="\x1b[2J\u202eevil"), language)
    assert "\x1b" not in told
    assert "\u202e" not in told


# --- what an earlier version believed ------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "leaf"),
    [
        ("vlan", -1),
        ("vlan", 10**12),
        ("host", "x" * 5000),
        ("now", "2026-01-01T00:00:00"),
        ("dns", ["x"] * 2000),
    ],
)
def test_a_word_of_the_peer_that_was_stored_without_bounds_ends_nothing(
    two: TwoAgents, told: str, leaf: Any
) -> None:
    pair = json.loads(msgspec.json.encode(two.b.store.pair()))
    pair["peer"][told] = leaf
    state = two.b.folder / "state" / "state.db"
    with closing(sqlite3.connect(state)) as db, db:
        db.execute("UPDATE setting SET body = ? WHERE name = 'pair'", (json.dumps(pair).encode(),))
    two.b.store.put("cycles-pause", stored_pause("2026-01-01T00:00:00"))
    two.turns(2)
    assert not {"not-judged", "state-damaged"} & set(findings(two.b))
    serves_after_the_death_of_the_peer(two)


def stored_pause(since: str) -> bytes:
    """Return a pause as an earlier version kept it: its moment without a zone."""
    versions = {"beistand": "1", "pbx": "22"}
    pause = {"who": "anna", "since": since, "epoch": 2, "active": versions, "standby": versions}
    return json.dumps(pause).encode()
