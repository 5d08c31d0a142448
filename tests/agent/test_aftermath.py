"""S21: after a takeover phones are told and users get a mail, once an epoch, whatever crashes."""

import msgspec
import pytest

from beistand.agent.aftermath import NO_ADDRESS, NO_SERVER, TOO_LATE
from beistand.agent.daemon import Loop
from beistand.domain.config import ModuleConfig
from beistand.domain.errors import Failed, Refused
from beistand.domain.job import Job, JobState
from beistand.domain.mail import MailServer, MailState, MailText, User
from beistand.domain.message import message
from beistand.domain.profile import DirectoryFormat, UserDirectory
from beistand.domain.settings import PairSettings
from beistand.protocol import GetMail, GetStatus, PlanTakeover, StartTakeover, UsersTold, WatchJob
from beistand.text.catalogue import LANGUAGES, entries
from fakes.agents import OneOfTwo, TwoAgents
from fakes.pair_of_appliances import PROFILE

PEOPLE = (
    User(name="Alice", extension="101", address="alice@example.org"),
    User(name="Bob", extension="102", address="bob@example.org"),
    User(name="Bob's other phone", extension="112", address="Bob@example.org"),
    User(name="Lift", extension="103", address=""),
)
SERVER = MailServer(host="mail", sender="pbx@example.org")


@pytest.fixture
def one(two: TwoAgents) -> OneOfTwo:
    """The standby, with users, phones and a mail server; its active is dead."""
    directory = UserDirectory(format=DirectoryFormat.ASTERISK_VOICEMAIL, path="/etc/asterisk/voicemail.conf")
    for each in (two.a, two.b):
        each.wiring.profile = msgspec.structs.replace(PROFILE, users=directory)
        each.wiring.users.people = PEOPLE
        each.wiring.contacts.uris = ("sip:101@192.0.2.51:5060", "sip:102@192.0.2.52:5060")
        each.store.set_settings(PairSettings(mail_server=SERVER))
        each.agent.reload()
    two.turns(2)
    return two.b


def take_over(two: TwoAgents) -> Job:
    two.a.off()
    two.clock.advance(60)
    plan = two.b.ask(PlanTakeover())
    accept = ("no-imported-generation", "partition-suspected")
    job = two.b.ask(StartTakeover(digest=plan.digest, accept=accept, operator="anna"))
    while job.state is JobState.RUNNING:
        job = two.b.ask(WatchJob(id=job.id, seen=job.revision, seconds=5))
    assert job.state is JobState.DONE, job
    return job


def recipients(one: OneOfTwo, kind: str = "users-takeover") -> list[str]:
    return sorted(each.recipient for each in one.store.outbox() if each.kind == kind)


def test_phones_are_told_from_the_service_address_and_counted(two: TwoAgents, one: OneOfTwo) -> None:
    job = take_over(two)
    assert one.wiring.phone_teller.told == [
        ("192.0.2.10", "sip:101@192.0.2.51:5060"),
        ("192.0.2.10", "sip:102@192.0.2.52:5060"),
    ]
    assert (job.result["phones"], job.result["phones_answered"]) == (2, 2)
    for _ in range(3):
        one.agent.aftermath.tick()
    assert len(one.wiring.phone_teller.told) == 2


def test_phones_that_connect_again_first_are_counted_apart(two: TwoAgents, one: OneOfTwo) -> None:
    """B14: in the plan, in the job's result and in the administrator's mail."""
    by_tls = "sip:103@192.0.2.53:40000;transport=tls"
    one.wiring.contacts.uris += (by_tls,)
    one.wiring.contacts.forgotten = (by_tls,)
    plan = one.ask(PlanTakeover())
    assert (len(plan.phones), plan.phones_later) == (2, ("192.0.2.53:40000",))
    one.store.set_config(ModuleConfig(send_mail=True, mail_address="admin@example.org"))
    loop = Loop(one.agent, two.a.agent.wake)
    loop.turn()
    job = take_over(two)
    assert (job.result["phones_at_once"], job.result["phones_later"]) == (2, 1)
    for _ in range(40):
        loop.turn()
        two.clock.advance(6)
    (done,) = [each for each in one.store.outbox() if each.kind == "takeover-done"]
    assert "2 phones can be called at once, 1 when it has connected again" in done.body


REPLUG = ("ISDN 1", "fax")


def take_over_with(one: OneOfTwo, *dead: str, accept: tuple[str, ...] = ()) -> Job:
    plan = one.ask(PlanTakeover())
    accept = ("no-imported-generation", "partition-suspected", *accept)
    asked = StartTakeover(digest=plan.digest, accept=accept, operator="anna", stay_dead=dead)
    job = one.ask(asked)
    while job.state is JobState.RUNNING:
        job = one.ask(WatchJob(id=job.id, seen=job.revision, seconds=5))
    return job


@pytest.mark.parametrize(
    ("dead", "accept", "told"),
    [
        (
            ("fax", "ISDN 1"),
            (),
            "ISDN 1, fax",
        ),  # nobody is there: all are named, and nothing is said to be replugged
        (("fax",), ("replug-first",), "fax"),
        ((), ("replug-first",), ""),
    ],
)
def test_lines_that_nobody_could_replug_are_kept_and_told(
    two: TwoAgents, one: OneOfTwo, dead: tuple[str, ...], accept: tuple[str, ...], told: str
) -> None:
    """In the job's result, in the audit log, and in the administrator's mail."""
    one.store.set_config(ModuleConfig(send_mail=True, mail_address="admin@example.org", replug=REPLUG))
    loop = Loop(one.agent, two.a.agent.wake)
    loop.turn()
    two.a.off()
    two.clock.advance(60)
    job = take_over_with(one, *dead, accept=accept)
    assert job.state is JobState.DONE, job
    assert job.result.get("dead_lines", "") == told
    events = [each for each in one.store.events(50) if each.message.code == "audit.lines-stay-dead"]
    assert [(each.message.fields["items"], each.operator) for each in events] == [(told, "anna")] * bool(told)
    for _ in range(40):
        loop.turn()
        two.clock.advance(6)
    (done,) = [each for each in one.store.outbox() if each.kind == "takeover-done"]
    assert ("stay dead" in done.body) is bool(told)
    assert told in done.body


@pytest.mark.parametrize(
    ("dead", "accept", "code"),
    [
        ((), (), "not-accepted"),
        (("fax",), (), "not-accepted"),
        (("ISDN 2",), ("replug-first",), "replug-unknown"),
        (("all",), (), "replug-unknown"),
    ],
)
def test_a_list_without_all_its_answers_stops_the_takeover(
    two: TwoAgents, one: OneOfTwo, dead: tuple[str, ...], accept: tuple[str, ...], code: str
) -> None:
    one.store.set_config(ModuleConfig(replug=REPLUG))
    two.a.off()
    two.clock.advance(60)
    with pytest.raises(Refused, match=code):
        take_over_with(one, *dead, accept=accept)
    assert not one.serves


def test_every_person_gets_one_mail(two: TwoAgents, one: OneOfTwo) -> None:
    take_over(two)
    for _ in range(3):
        one.agent.aftermath.tick()
    assert recipients(one) == ["alice@example.org", "bob@example.org"]
    (first, *_) = one.store.outbox()
    assert first.occasion == "takeover-3"
    assert "192.0.2.10" in first.body
    assert "{" not in first.body


def test_what_a_kill_left_undone_is_made_up_for(two: TwoAgents, one: OneOfTwo) -> None:
    one.wiring.users.trouble = Failed("users-not-read", path="/etc/asterisk/voicemail.conf", why="gone")
    take_over(two)
    with pytest.raises(Failed, match="users-not-read"):
        one.agent.aftermath.tick()
    one.wiring.users.trouble = None
    one.start()
    one.agent.reload()
    one.turn()
    one.agent.aftermath.tick()
    assert recipients(one) == ["alice@example.org", "bob@example.org"]


def told(one: OneOfTwo) -> UsersTold:
    found = one.ask(GetMail()).users_told
    assert found is not None
    return found


def test_what_became_of_the_mails_is_told(two: TwoAgents, one: OneOfTwo) -> None:
    take_over(two)
    assert (told(one).epoch, told(one).is_over, told(one).all, told(one).why) == (3, False, 0, None)
    one.agent.aftermath.tick()
    sent, *_ = one.store.outbox()
    one.store.put_mails([msgspec.structs.replace(sent, state=MailState.SENT)])
    assert told(one) == UsersTold(epoch=3, is_over=True, sent=1, waiting=1)


def test_a_directory_that_cannot_be_read_is_told_until_it_can(two: TwoAgents, one: OneOfTwo) -> None:
    """Nobody knows yet that no user has an address: it is tried again."""
    one.wiring.users.trouble = Failed("users-not-read", path="/etc/asterisk/voicemail.conf", why="gone")
    take_over(two)
    with pytest.raises(Failed, match="users-not-read"):
        one.agent.aftermath.tick()
    assert (told(one).is_over, told(one).why) == (False, one.wiring.users.trouble.message)
    one.wiring.users.trouble = None
    one.agent.aftermath.tick()
    assert told(one) == UsersTold(epoch=3, is_over=True, waiting=2)


@pytest.mark.parametrize(
    ("server", "people", "why"),
    [
        (MailServer(), PEOPLE, "mail-server-unknown"),
        (SERVER, PEOPLE[-1:], "users-without-address"),
        (SERVER, (), "users-without-address"),
    ],
)
def test_why_nobody_got_a_mail_is_still_known_later(
    two: TwoAgents, one: OneOfTwo, server: MailServer, people: tuple[User, ...], why: str
) -> None:
    one.store.set_settings(PairSettings(mail_server=server))
    one.wiring.users.people = people
    take_over(two)
    one.agent.aftermath.tick()
    one.store.set_settings(PairSettings(mail_server=SERVER))
    one.wiring.users.people = PEOPLE
    one.start()
    one.agent.reload()
    assert told(one) == UsersTold(epoch=3, is_over=True, why=message(why))
    assert recipients(one) == []


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_reason_has_its_words(spoken: str) -> None:
    assert {NO_SERVER, NO_ADDRESS, TOO_LATE} <= set(entries(spoken))


def test_who_took_nothing_over_has_nobody_to_tell(two: TwoAgents, one: OneOfTwo) -> None:
    assert [each.ask(GetMail()).users_told for each in (two.a, one)] == [None, None]


def test_the_first_active_tells_nobody(two: TwoAgents, one: OneOfTwo) -> None:
    two.a.agent.aftermath.tick()
    one.agent.aftermath.tick()
    assert recipients(two.a) == recipients(one) == []
    assert two.a.wiring.phone_teller.told == []


def test_an_old_takeover_is_no_news(two: TwoAgents, one: OneOfTwo) -> None:
    """A mail server that is set up weeks later brings nobody a mail about the takeover of then."""
    one.store.set_settings(PairSettings())
    take_over(two)
    one.agent.aftermath.tick()
    one.store.set_settings(PairSettings(mail_server=SERVER))
    one.agent.aftermath.tick()
    assert recipients(one) == []


def speak(one: OneOfTwo, language: str) -> None:
    """Have it installed in this language."""
    one.wiring.installation_now = msgspec.structs.replace(one.wiring.installation_now, language=language)
    one.agent.reload()


@pytest.mark.parametrize(
    ("language", "subject", "body"),
    [
        ("de", "Telefonanlage: bitte prüfen Sie Ihr Telefon", "Guten Tag,\n\ndie Telefonanlage ist auf ihre"),
        (
            "en",
            "Telephone system: please check your phone",
            "Hello,\n\nthe telephone system has moved",
        ),
    ],
)
def test_the_text_is_in_the_language_of_the_installation(
    two: TwoAgents, one: OneOfTwo, language: str, subject: str, body: str
) -> None:
    speak(one, language)
    take_over(two)
    one.agent.aftermath.tick()
    assert {each.subject for each in one.store.outbox()} == {subject}
    for each in one.store.outbox():
        assert each.body.startswith(body)
        assert "192.0.2.10" in each.body


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_text_is_what_an_administrator_wrote(two: TwoAgents, one: OneOfTwo, language: str) -> None:
    speak(one, language)
    text = MailText(kind="users-takeover", subject="Jetzt {address}", body="auf {host}")
    one.store.set_settings(PairSettings(mail_server=SERVER, mail_texts=(text,)))
    take_over(two)
    one.agent.aftermath.tick()
    assert {each.subject for each in one.store.outbox()} == {"Jetzt 192.0.2.10"}
    assert all(each.body.startswith("auf ") for each in one.store.outbox())


def test_a_missing_mail_server_is_told_before_the_day(two: TwoAgents, one: OneOfTwo) -> None:
    def codes(each: OneOfTwo) -> set[str]:
        return {found.code for found in each.ask(GetStatus()).findings}

    assert "mail-server-missing" not in codes(two.a) | codes(one)
    for each in (two.a, one):
        each.store.set_settings(PairSettings())
    assert "mail-server-missing" in codes(two.a)
    assert "mail-server-missing" in codes(one)


def test_the_administrator_hears_of_it_from_the_one_that_took_over(two: TwoAgents, one: OneOfTwo) -> None:
    one.store.set_config(ModuleConfig(send_mail=True, mail_address="admin@example.org"))
    loop = Loop(one.agent, two.a.agent.wake)
    for _ in range(40):
        loop.turn()
        two.clock.advance(6)
    before = recipients(one, "takeover-done")
    take_over(two)
    for _ in range(40):
        loop.turn()
        two.clock.advance(6)
    assert before == []
    assert recipients(one, "takeover-done") == ["admin@example.org"]
    assert recipients(one, "peer-silent") == ["admin@example.org"]
    (done,) = [each for each in one.store.outbox() if each.kind == "takeover-done"]
    assert "anna" in done.body
    assert "https://192.0.2.2:8443/" in done.body
    (silent,) = [each for each in one.store.outbox() if each.kind == "peer-silent"]
    assert "=" not in silent.body
