"""F13: one mail per person and occasion, whatever the server or the disk does; nothing else waits for it."""

from typing import Any

import msgspec
import pytest

from beistand.domain.errors import NoSpace
from beistand.domain.mail import MailServer, MailState, OutboxEntry
from beistand.domain.message import message
from beistand.domain.settings import PairSettings
from beistand.protocol import GetStatus
from fakes.agents import OneOfTwo, TwoAgents
from fakes.mail import DOWN, UNKNOWN


@pytest.fixture
def one(two: TwoAgents) -> OneOfTwo:
    two.a.store.set_settings(PairSettings(mail_server=MailServer(host="mail", sender="pbx@example.org")))
    return two.a


def put(one: OneOfTwo, *recipients: str, **changes: Any) -> None:
    values = {"occasion": "takeover-4", "kind": "k", "subject": "s", "body": "b", **changes}
    now = one.agent.clock.now()
    one.store.enqueue([OutboxEntry(recipient=each, since=now, **values) for each in recipients])


def states(one: OneOfTwo) -> dict[str, MailState]:
    return {each.recipient: each.state for each in one.store.outbox()}


def test_what_waits_is_sent_once(one: OneOfTwo) -> None:
    put(one, "a@x.org", "b@x.org")
    for _ in range(3):
        one.agent.postman.turn()
    assert [each.recipient for each in one.wiring.mailer.taken] == ["a@x.org", "b@x.org"]
    assert set(states(one).values()) == {MailState.SENT}


def test_without_a_server_everything_waits(two: TwoAgents) -> None:
    put(two.b, "a@x.org")
    two.b.agent.postman.turn()
    assert states(two.b) == {"a@x.org": MailState.WAITING}


def test_without_a_server_news_of_last_week_is_given_up(two: TwoAgents) -> None:
    put(two.b, "a@x.org")
    two.clock.advance(8 * 86400)
    put(two.b, "b@x.org")
    two.b.agent.postman.turn()
    assert states(two.b) == {"a@x.org": MailState.GIVEN_UP, "b@x.org": MailState.WAITING}


def test_a_server_that_is_down_is_asked_once_and_again_later(one: OneOfTwo) -> None:
    put(one, *(f"{number}@x.org" for number in range(20)))
    one.wiring.mailer.trouble = DOWN
    one.agent.postman.turn()
    one.agent.postman.turn()
    assert len(one.wiring.mailer.asked) == 1
    one.wiring.mailer.trouble = {}
    one.agent.clock.advance(61)
    one.agent.postman.turn()
    assert len(one.wiring.mailer.taken) == 20


def test_one_person_that_is_unknown_keeps_nobody_from_theirs(one: OneOfTwo) -> None:
    put(one, "a@x.org", "nobody@x.org", "grey@x.org", "b@x.org")
    one.wiring.mailer.refused = {
        "nobody@x.org": UNKNOWN,
        "grey@x.org": message("mail-recipient-deferred", recipient="grey@x.org", reply="450"),
    }
    one.agent.postman.turn()
    assert states(one) == {
        "a@x.org": MailState.SENT,
        "nobody@x.org": MailState.GIVEN_UP,
        "grey@x.org": MailState.WAITING,
        "b@x.org": MailState.SENT,
    }
    codes = {each.code for each in one.ask(GetStatus()).findings}
    assert {"mails-wait", "mail-given-up"} <= codes


def test_a_kill_before_the_server_took_it_sends_it_later_and_after_it_never_again(one: OneOfTwo) -> None:
    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    put(one, "a@x.org", "b@x.org")
    one.wiring.mailer.during = die
    with pytest.raises(Killed):
        one.agent.postman.turn()
    one.wiring.mailer.during = lambda: None
    one.start()
    one.agent.reload()
    one.agent.postman.turn()
    ids = [each.id for each in one.wiring.mailer.taken]
    assert len(ids) == 3  # the kill fell between the server's 250 and our commit: nobody can know …
    assert len(set(ids)) == 2  # … but both copies have one name, and mail systems drop the second


def test_a_full_disk_never_becomes_a_stream_of_copies(one: OneOfTwo, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_mails: object) -> None:
        raise NoSpace("state-disk-full", path="/")

    put(one, "a@x.org", "b@x.org")
    with monkeypatch.context() as patch:
        patch.setattr(one.store, "put_mails", full)
        for _ in range(5):
            with pytest.raises(NoSpace):
                one.agent.postman.turn()
    assert one.wiring.mailer.asked == ["a@x.org"]
    one.agent.postman.turn()
    assert one.wiring.mailer.asked == ["a@x.org", "b@x.org"]


def test_a_person_may_have_everything_tried_again_but_nothing_that_is_no_news(one: OneOfTwo) -> None:
    put(one, "nobody@x.org")
    one.wiring.mailer.refused = {"nobody@x.org": UNKNOWN}
    one.agent.postman.turn()
    one.wiring.mailer.refused = {}
    one.agent.postman.retry(MailState.WAITING)
    one.agent.postman.turn()
    assert states(one)["nobody@x.org"] is MailState.GIVEN_UP
    one.agent.clock.advance(8 * 86400)
    one.agent.postman.retry(MailState.GIVEN_UP)
    one.agent.postman.turn()
    assert states(one)["nobody@x.org"] is MailState.GIVEN_UP
    (lost,) = one.store.outbox()
    one.store.put_mails([msgspec.structs.replace(lost, since=one.agent.clock.now())])
    one.agent.postman.retry(MailState.GIVEN_UP)
    one.agent.postman.turn()
    assert states(one)["nobody@x.org"] is MailState.SENT


ODD = ("max..muster@x.org", ".max@x.org", '"a b"@x.org', "Ä@x.org", "a@b@c", "no address")


def queued(one: OneOfTwo, *recipients: str) -> None:
    now = one.agent.clock.now()
    one.agent.postman.enqueue(
        [
            OutboxEntry(occasion="takeover-4", recipient=each, kind="k", subject="s", body="b", since=now)
            for each in recipients
        ]
    )


@pytest.mark.parametrize("odd", ODD)
def test_a_mail_that_cannot_be_built_is_given_up_before_it_waits(one: OneOfTwo, odd: str) -> None:
    queued(one, odd, "b@x.org")
    one.agent.postman.turn()
    assert states(one) == {odd: MailState.GIVEN_UP, "b@x.org": MailState.SENT}
    found = {each.code: each.fields for each in one.ask(GetStatus()).findings}
    assert found["mail-given-up"]["recipient"] == odd
    assert found["mail-recipient-form"]["address"] == odd


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_address_of_an_earlier_version_holds_no_alarm_up(one: OneOfTwo, odd: str) -> None:
    """It stands in the outbox already, before anything else."""
    put(one, odd, "alarm@x.org")
    one.agent.postman.turn()
    assert states(one) == {odd: MailState.GIVEN_UP, "alarm@x.org": MailState.SENT}


def test_a_text_that_nobody_can_build_is_that_mails_failure(one: OneOfTwo) -> None:
    one.wiring.mailer.unbuildable = {"a@x.org": message("mail-not-built", recipient="a@x.org", why="?")}
    put(one, "a@x.org", "b@x.org")
    one.agent.postman.turn()
    assert states(one) == {"a@x.org": MailState.GIVEN_UP, "b@x.org": MailState.SENT}
    assert "mail-not-built" in {each.code for each in one.ask(GetStatus()).findings}


def test_what_the_library_raises_at_one_mail_is_that_mails_failure(one: OneOfTwo) -> None:
    put(one, "a@x.org", "b@x.org")
    one.wiring.mailer.breaks = {"a@x.org"}
    one.agent.postman.turn()
    assert states(one) == {"a@x.org": MailState.WAITING, "b@x.org": MailState.SENT}
    found = {each.code: each.fields for each in one.ask(GetStatus()).findings}
    assert found["mail-failed"]["recipient"] == "a@x.org"
    for _ in range(20):  # for three days it is tried, and then it is over
        one.agent.clock.advance(6 * 3600)
        one.agent.postman.turn()
    assert states(one)["a@x.org"] is MailState.GIVEN_UP


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_mails_that_make_the_server_hang_up_starve_no_other_one(one: OneOfTwo, count: int) -> None:
    """A filter there drops the connection at some texts: nobody can know whose fault it is, so all get their turn."""
    bad = [f"bad{number}@x.org" for number in range(count)]
    put(one, *bad, "alarm@x.org")
    lost = message("mail-connection-lost", host="mail", port=587, why="closed")
    one.wiring.mailer.dropped = dict.fromkeys(bad, lost)
    for _ in range(4):
        one.agent.postman.turn()
        one.agent.clock.advance(3601)
    assert states(one)["alarm@x.org"] is MailState.SENT


def test_a_server_that_fails_at_every_text_is_not_asked_for_each(one: OneOfTwo) -> None:
    put(one, *(f"{number}@x.org" for number in range(20)))
    one.wiring.mailer.trouble = {"mail-accepted": message("mail-server-busy", host="m", port=1, reply="452")}
    one.agent.postman.turn()
    assert len(one.wiring.mailer.asked) == 3
    assert set(states(one).values()) == {MailState.WAITING}
    one.agent.postman.turn()
    assert len(one.wiring.mailer.asked) == 3


def test_what_no_state_file_can_hold_becomes_a_mail_all_the_same(one: OneOfTwo) -> None:
    """File names of any bytes stand in findings, and findings stand in mails."""
    now = one.agent.clock.now()
    entry = OutboxEntry(
        occasion="o", recipient="a@x.org", kind="k", subject="\ud800\n", body="a\ud800\0", since=now
    )
    one.agent.postman.enqueue([entry])
    one.agent.postman.turn()
    (mail,) = one.wiring.mailer.taken
    assert (mail.subject, mail.body) == ("", "a?\n")
