"""Who may ask what, over the real socket and as another account of the machine (F18, F16)."""

import os
import random
import re
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, get_args

import msgspec
import pytest

from beistand import protocol
from beistand.agent.access import ACCESS, WITHOUT_PASSWORD, Access, access_of, permit
from beistand.agent.caller import PEER_ACCOUNT, Caller
from beistand.agent.server import MOST_CONNECTIONS, Server
from beistand.agent.throttle import DELAY_SECONDS
from beistand.domain.account import AccountRole
from beistand.domain.errors import Refused
from beistand.domain.mail import MailServer
from beistand.domain.value import Value
from beistand.protocol import (
    LARGEST_FRAME,
    Authenticate,
    GetStatus,
    Hello,
    LogIn,
    PeerRequest,
    PersonRequest,
    PlanTakeover,
    Release,
    StartTakeover,
    WatchJob,
)
from fakes.agents import TwoAgents
from fakes.other_user import NOBODY, Line, as_user, let_everybody_reach
from fakes.pages import WORDS, settle_in, viewer
from fakes.requests import EXAMPLES

ADMINISTRATOR, VIEWER = AccountRole.ADMINISTRATOR, AccountRole.VIEWER
MAIL_SECRET = "the-mail-servers-password"
ONE_MORE = NOBODY - 1
PROTOCOL = Path(__file__).parent.parent.parent / "docs/protocol.md"


def with_access(*levels: Access) -> list[Value]:
    return [each for each in EXAMPLES if ACCESS[type(each)] in levels]


def named(request: Value) -> str:
    return type(request).__name__


# --- the table -----------------------------------------------------------------------------------


def test_every_request_of_people_stands_in_the_table_and_in_the_examples() -> None:
    requests = set(get_args(PersonRequest))
    assert requests == set(ACCESS)
    assert requests == {type(each) for each in EXAMPLES}


def test_every_request_that_changes_something_wants_the_password_or_says_why_not() -> None:
    """D13: a lost token deletes nothing and turns nothing off."""
    changing = {
        each
        for each, access in ACCESS.items()
        if access in (Access.LOOK, Access.ACT) and not _only_looks(each)
    }
    assert changing == set(WITHOUT_PASSWORD)
    assert all(WITHOUT_PASSWORD.values())


def _only_looks(request: type[Value]) -> bool:
    return request.__name__.startswith(("Get", "List", "Read", "Plan", "Fetch", "Try"))


ROWS = {
    Access.OPEN: "group",
    Access.LOOK: "viewer",
    Access.ACT: "administrator",
    Access.DANGEROUS: "administrator with password",
    Access.ROOT: "root",
}


def test_the_table_is_the_one_that_is_documented() -> None:
    rows = [each.split("|") for each in PROTOCOL.read_text().splitlines() if each.startswith("| `")]
    told = {(verb, row[2].strip()) for row in rows for verb in re.findall(r"`([a-z-]+)`", row[1])}
    table = {(type(each).__struct_config__.tag, ROWS[ACCESS[type(each)]]) for each in EXAMPLES}
    assert table <= told, table - told


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        (Caller(uid=33, user="beistand-web"), Access.OPEN),
        (Caller(uid=33, user="beistand-web", account="bert", role=VIEWER, credential="1"), Access.LOOK),
        (Caller(uid=33, user="beistand-web", account="anna", role=ADMINISTRATOR, credential="1"), Access.ACT),
        (
            Caller(uid=33, user="w", account="anna", role=ADMINISTRATOR, credential="1", sure_as="anna"),
            Access.DANGEROUS,
        ),
        (Caller(uid=33, user="w", account="x", role=VIEWER, credential="1", sure_as="anna"), Access.LOOK),
        (Caller(uid=0, user="root"), Access.ROOT),
        (Caller(uid=0, user="root", account="bert", role=VIEWER, credential="1"), Access.LOOK),
        (Caller(uid=990, user=PEER_ACCOUNT), Access.OPEN),
    ],
)
def test_what_a_caller_may_at_most(caller: Caller, expected: Access) -> None:
    assert access_of(caller) is expected


@pytest.mark.parametrize("request_", EXAMPLES, ids=named)
def test_the_peer_may_ask_nothing_of_people(request_: Value) -> None:
    if not isinstance(request_, PeerRequest):
        with pytest.raises(Refused, match="needs-root"):
            permit(request_, Caller(uid=990, user=PEER_ACCOUNT))


def test_what_stands_not_in_the_table_is_roots() -> None:
    with pytest.raises(Refused, match="needs-console"):
        permit(
            Release(epoch=9),
            Caller(uid=33, user="w", account="anna", role=ADMINISTRATOR, credential="1", sure_as="anna"),
        )


# --- a web process that was broken into (F18) ----------------------------------------------------


@pytest.fixture
def path(two: TwoAgents, tmp_path: Path) -> Iterator[Path]:
    """The socket of the standby B, whose active is dead: a takeover is possible."""
    viewer_on_the_pair(two)
    two.turns(2)
    two.a.off()
    two.clock.advance(60)
    file = tmp_path / "agent.sock"
    server = Server(file, two.b.verbs.handle)
    server.open()
    let_everybody_reach(file)
    yield file
    server.close()


def viewer_on_the_pair(two: TwoAgents) -> None:
    settle_in(two.a)
    viewer(two.a)
    mail = MailServer(host="mail.example.org", password=MAIL_SECRET, sender="pbx@example.org")
    two.a.store.set_settings(msgspec.structs.replace(two.a.store.settings(), mail_server=mail, revision=9))
    two.turns(1)
    two.a.agent.link.turn()
    assert two.b.store.settings() == two.a.store.settings()


def state_of(two: TwoAgents) -> tuple[Any, ...]:
    store = two.b.store
    return store.settings(), store.config(), store.standing(), store.pair(), store.licences(), store.copies()


@pytest.mark.shows("F18")
def test_a_web_process_that_was_broken_into_may_look_at_little_and_do_nothing(
    two: TwoAgents, path: Path
) -> None:
    before = state_of(two)
    refused = with_access(Access.LOOK, Access.ACT, Access.DANGEROUS, Access.ROOT)

    def ask() -> list[str]:
        with Line(path) as line:
            return [line.hello().code(each) for each in refused]

    answers = dict(zip(map(named, refused), as_user(NOBODY, ask), strict=True))
    assert set(answers.values()) == {"needs-root"}, answers
    assert state_of(two) == before


@pytest.mark.shows("F18")
def test_it_reads_no_secret(two: TwoAgents, path: Path) -> None:
    settings = two.b.store.settings()
    secrets = [MAIL_SECRET, WORDS, *(each.verifier for each in settings.accounts)]
    session = settle_in(two.b, "carl").token
    files = [str(each) for each in two.b.folder.rglob("*") if each.is_file() and "state" in each.parts]
    assert any(each.endswith("state.db") for each in files)

    def look() -> list[str]:
        with Line(path) as line:
            said = [repr(line.hello().ask(each)) for each in with_access(Access.OPEN)]
        with Line(path) as line:
            line.hello().ask(Authenticate(token=session))
            said += [repr(line.ask(each)) for each in with_access(Access.OPEN, Access.LOOK)]
            said += [repr(line.ask(each)) for each in (protocol.ListAccounts(), protocol.ReadAudit())]
        return [*said, *(each for each in files if os.access(each, os.R_OK))]

    said = as_user(NOBODY, look)
    assert [each for each in files if each in said] == []
    assert [secret for secret in secrets for each in said if secret in each] == []


@pytest.mark.shows("F18", "F17")
def test_with_a_stolen_session_it_can_do_nothing_dangerous(two: TwoAgents, path: Path) -> None:
    """The agent asks for the password itself, and lets nobody guess it."""
    session = settle_in(two.b, "carl").token
    before = state_of(two)
    dangerous, root = with_access(Access.DANGEROUS), with_access(Access.ROOT)

    def act() -> dict[str, list[str]]:
        with Line(path) as line:
            line.hello().ask(Authenticate(token=session))
            said = {
                "dangerous": [line.code(each) for each in dangerous],
                "root": [line.code(each) for each in root],
            }
        with Line(path) as line:
            line.hello()
            said["guesses"] = [
                line.code(Authenticate(token=session, password=f"guess {number}")) for number in range(40)
            ]
            said["after"] = [line.code(each) for each in dangerous]
        return said

    said = as_user(NOBODY, act)
    assert set(said["dangerous"]) == {"needs-password"}
    assert set(said["root"]) == {"needs-console"}
    assert said["guesses"] == ["log-in-wrong"] * 10 + ["too-many-tries"] * 30
    assert set(said["after"]) == {"needs-root"}
    assert state_of(two) == before


@pytest.mark.shows("F18")
def test_a_viewer_changes_nothing(two: TwoAgents, path: Path) -> None:
    before = state_of(two)
    more = with_access(Access.ACT, Access.DANGEROUS)

    def act() -> list[str]:
        with Line(path) as line:
            body, _ = line.hello().ask(LogIn(name="bert", password=WORDS))
            assert isinstance(body, dict)
            line.ask(Authenticate(token=body["token"], password=WORDS))
            line.ask(Authenticate(token=body["token"]))
            return [line.code(each) for each in more]

    assert set(as_user(NOBODY, act)) == {"needs-administrator"}
    assert state_of(two) == before


@pytest.mark.shows("F18", "S19")
def test_what_a_takeover_would_do_is_shown_to_administrators_only(two: TwoAgents, path: Path) -> None:
    """S19: the plan is what the page shows; root has it at the console."""
    settle_in(two.b, "carl")

    def look() -> list[str]:
        said = []
        for name in ("", "bert", "carl"):
            with Line(path) as line:
                line.hello()
                if name:
                    body, _ = line.ask(LogIn(name=name, password=WORDS))
                    assert isinstance(body, dict)
                    line.ask(Authenticate(token=body["token"]))
                said.append(line.code(PlanTakeover()))
        return said

    assert as_user(NOBODY, look) == ["needs-root", "needs-administrator", ""]
    with Line(path) as line:
        assert line.hello().code(PlanTakeover()) == ""
    assert "takeover-plan" not in repr(two.b.ask(protocol.ReadAudit()))


@pytest.mark.shows("F17")
def test_guessing_over_the_socket_ends_after_ten_tries(path: Path) -> None:
    def guess() -> list[str]:
        said = []
        for number in range(30):
            with Line(path) as line:
                ask = LogIn(name="anna", password=f"guess {number}", address="192.0.2.7")
                said.append(line.hello().code(ask))
        return said

    assert as_user(NOBODY, guess) == ["log-in-wrong"] * 10 + ["too-many-tries"] * 20


@pytest.mark.shows("F17")
def test_a_web_process_that_makes_addresses_up_guesses_slowly(two: TwoAgents, path: Path) -> None:
    """It can name any address: each new one gets a try, three seconds after the one before."""
    began = two.clock.monotonic()

    def guess() -> list[str]:
        said = []
        for number in range(300):
            with Line(path) as line:
                ask = LogIn(
                    name="anna", password=f"guess {number}", address=f"192.0.{number // 250}.{number % 250}"
                )
                said.append(line.hello().code(ask))
        return said

    assert set(as_user(NOBODY, guess)) == {"log-in-wrong"}
    minutes = (two.clock.monotonic() - began) / 60
    assert 300 / minutes < 10 + 60 / DELAY_SECONDS + 5


def test_connections_that_it_holds_keep_out_neither_root_nor_the_peer(path: Path) -> None:
    let_go = path.with_name("let-go")
    os.mkfifo(let_go)
    ready = path.with_name("ready")
    os.mkfifo(ready)
    holder = Thread(target=as_user, args=(NOBODY, lambda: hold(path, ready, let_go)))
    let_everybody_reach(let_go)
    let_everybody_reach(ready)
    holder.start()
    assert ready.read_text() == "0"
    assert as_user(ONE_MORE, lambda: Line(path).code(Hello(version="1"))) == ""
    with Line(path) as line:
        assert line.code(Hello(version="1")) == ""
    let_go.write_text("")
    holder.join()


def hold(path: Path, ready: Path, let_go: Path) -> int:
    """Take every place and say how many further connections were answered; hold them until told."""
    held = [Line(path) for _ in range(MOST_CONNECTIONS)]
    for each in held:
        each.hello()
    answered = 0
    for _ in range(5):
        with suppress(OSError, ValueError, struct.error):
            answered += Line(path).code(Hello(version="1")) == ""
    ready.write_text(str(answered))
    let_go.read_text()
    return len(held)


# --- whatever comes over the socket --------------------------------------------------------------


def noise(chance: random.Random) -> bytes:
    """Return bytes that are no request: a frame of nothing, of the wrong thing, too long, or a half one."""
    body = chance.choice(
        [
            chance.randbytes(chance.randrange(200)),
            b"{" * chance.choice([1, 5000]),
            b'{"verb":' + b"[" * 100_000,
            b'{"verb":"status\xff"}',
            b'{"verb":"takeover","digest":' + b'"x' * 50 + b"}",
            b'{"verb":"' + chance.randbytes(5).hex().encode() + b'"}',
            b'{"verb":"status","verb":"takeover"}',
            msgspec.json.encode(
                {"verb": "log-in", "name": chance.choice([1, None, [], {}]), "password": "x"}
            ),
            msgspec.json.encode({"verb": "authenticate", "token": "x" * 100_000, "password": "\0" * 1000}),
            msgspec.json.encode({"verb": "watch-job", "id": "1", "seconds": chance.choice([-1e308, 1e308])}),
            msgspec.json.encode({"verb": "log", "limit": chance.choice([-(2**63), 2**63 - 1, 10**30])}),
            msgspec.json.encode({"verb": "release", "epoch": 9}),
            msgspec.json.encode({"verb": "hello", "version": "x" * 10_000, "protocol": chance.randrange(5)}),
            msgspec.json.encode(chance.choice(EXAMPLES)),
        ]
    )
    length = chance.choice(
        [len(body), len(body), len(body) + 1, 0, LARGEST_FRAME, LARGEST_FRAME + 1, 2**32 - 1]
    )
    return length.to_bytes(4, "big") + body[: chance.choice([len(body), len(body), len(body) // 2])]


@pytest.mark.shows("F18")
def test_whatever_comes_over_the_socket_the_agent_lives_and_nothing_changes(
    two: TwoAgents, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state_of(two)

    def shout() -> int:
        chance, heard = random.Random(18), 0
        for _ in range(250):
            with Line(path) as line, suppress(BrokenPipeError, ConnectionResetError):
                if chance.random() < 0.8:
                    line.hello()
                for _ in range(chance.randrange(1, 4)):
                    line.socket.sendall(noise(chance))
                # The end of what is said: a half frame keeps nobody waiting here.
                line.socket.shutdown(socket.SHUT_WR)
                while said := line.socket.recv(1 << 16):
                    heard += len(said)
        return heard

    assert as_user(NOBODY, shout) > 1_000
    assert "internal-error" not in capsys.readouterr().err
    assert state_of(two) == before
    with Line(path) as line:
        body, error = line.hello().ask(GetStatus())
    assert error is None
    assert isinstance(body, dict)
    assert body["state"] == "standing-by"


# --- two administrators (F16) --------------------------------------------------------------------


@pytest.mark.shows("F16")
def test_fifty_clicks_of_two_administrators_are_one_job(two: TwoAgents, path: Path) -> None:
    settle_in(two.b, "carl")
    tokens = {}
    for name in ("anna", "carl"):
        with Line(path) as line:
            body, _ = line.hello().ask(LogIn(name=name, password=WORDS))
            assert isinstance(body, dict)
            tokens[name] = body["token"]
    with Line(path) as line:
        plan, _ = line.hello().ask(PlanTakeover())
    assert isinstance(plan, dict)
    accept = tuple(each["code"] for each in plan["findings"])
    jobs: list[str] = []
    refusals: list[Any] = []

    def click(name: str) -> None:
        with Line(path) as line:
            line.hello().ask(Authenticate(token=tokens[name], password=WORDS, address="192.0.2.50"))
            body, error = line.ask(StartTakeover(digest=plan["digest"], accept=accept, operator="somebody"))
            if error is None:
                assert isinstance(body, dict)
                jobs.append(body["id"])
            else:
                refusals.append(error)

    clicks = [Thread(target=click, args=(("anna", "carl")[number % 2],)) for number in range(50)]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join()
    assert len(jobs) == 1
    assert len(refusals) == 49
    # Whoever came second while it ran is told which job it is, and may watch it.
    seen = {each.fields["job"] for each in refusals if each.code == "job-running"}
    assert seen <= set(jobs)
    job = ended(path, jobs[0])
    assert job["state"] == "done", job
    assert two.b.store.standing().grant.operator in ("anna", "carl")
    assert two.b.serves


def ended(path: Path, id_: str) -> Any:
    with Line(path) as line:
        line.hello()
        while True:
            body, error = line.ask(WatchJob(id=id_, seen=10_000, seconds=0.2))
            assert error is None
            assert isinstance(body, dict)
            if body["state"] != "running":
                return body
