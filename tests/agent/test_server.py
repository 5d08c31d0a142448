"""The socket, with a real connection: who may ask what (F18), and what every version understands (F15)."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from beistand.agent.access import permit
from beistand.agent.caller import PEER_ACCOUNT, Caller
from beistand.agent.server import MOST_CONNECTIONS, Server, _Conversation
from beistand.domain.config import ModuleConfig
from beistand.domain.errors import Failed
from beistand.domain.message import Message
from beistand.domain.value import Value
from beistand.protocol import (
    Done,
    GetConfig,
    GetMail,
    GetStatus,
    Hello,
    Init,
    ListAccounts,
    MakeSetupCode,
    PlanTakeover,
    Release,
    RetryService,
    SetConfig,
    StartCycle,
    Status,
    WatchJob,
    frame,
    read_frame,
)
from fakes.other_user import NOBODY, Line, as_user, let_everybody_reach
from fakes.pair_of_appliances import ADDRESS

Connect = Callable[[], Line]


class Asked:
    """What reached the agent behind the socket."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Caller]] = []

    def handle(self, request: Value, caller: Caller) -> Value:
        permit(request, caller)
        self.requests.append((type(request).__name__, caller))
        if isinstance(request, GetStatus):
            return Status(initialised=False, host="x" * (2 << 20))
        if isinstance(request, RetryService):
            raise ZeroDivisionError
        if isinstance(request, StartCycle):
            raise Failed("disk-full", path="/")
        return Done()


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def path(asked: Asked, tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "agent.sock"
    server = Server(file, asked.handle)
    server.open()
    yield file
    server.close()


@pytest.fixture
def connect(path: Path) -> Iterator[Callable[[], Line]]:
    with ExitStack() as lines:
        yield lambda: lines.enter_context(Line(path))


def code_of(answer: tuple[object, Message | None]) -> str:
    return answer[1].code if answer[1] else ""


def test_hello_comes_first(connect: Connect) -> None:
    assert code_of(connect().ask(GetConfig())) == "hello-first"


def test_nobody_outside_the_group_gets_in(path: Path) -> None:
    assert oct(path.stat().st_mode & 0o777) == "0o660"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (GetConfig(), ""),
        (WatchJob(id="1"), ""),
        (PlanTakeover(), "needs-root"),
        (StartCycle(), "needs-root"),
        (SetConfig(config=ModuleConfig()), "needs-root"),
        (RetryService(), "needs-root"),
        (
            Init(
                role="active",
                interface="eth0",
                own_address="192.0.2.1/24",
                service_address=ADDRESS,
                profile="asterisk",
            ),
            "needs-root",
        ),
        (ListAccounts(), "needs-root"),
        (GetMail(), "needs-root"),
        (MakeSetupCode(), "needs-root"),
        (Release(epoch=9), "bad-request"),
    ],
)
def test_who_is_not_root_may_look_and_never_act(
    path: Path, asked: Asked, request_: Value, expected: str
) -> None:
    let_everybody_reach(path)

    def ask() -> str:
        with Line(path) as line:
            line.ask(Hello(version="1"))
            return code_of(line.ask(request_))

    assert as_user(NOBODY, ask) == expected
    assert all(caller.uid == NOBODY for _, caller in asked.requests)
    assert (type(request_).__name__ in dict(asked.requests)) is (expected == "")


def test_however_many_connections_stand_root_gets_in(connect: Connect) -> None:
    others = [connect() for _ in range(MOST_CONNECTIONS + 5)]
    line = connect()
    assert code_of(line.ask(Hello(version="1"))) == ""
    assert others


def test_a_bug_in_one_verb_ends_neither_connection_nor_agent(connect: Connect) -> None:
    line = connect()
    line.ask(Hello(version="1"))
    assert code_of(line.ask(RetryService())) == "internal-error"
    assert code_of(line.ask(StartCycle())) == "disk-full"


@pytest.mark.parametrize(("request_", "is_refusal"), [(GetConfig(), True), (StartCycle(), UNSET)])
def test_people_are_told_whether_nothing_was_changed(
    connect: Connect, request_: Value, is_refusal: bool | UnsetType
) -> None:
    line = connect()
    if not is_refusal:
        line.hello()
    assert line.answer(request_).is_refusal is is_refusal


def test_the_peer_gets_no_field_that_an_older_one_does_not_know(asked: Asked) -> None:
    """F15"""
    here, there = socket.socketpair()
    peer = Caller(uid=NOBODY, user=PEER_ACCOUNT)
    with here, there, there.makefile("rb") as stream:
        Thread(target=_Conversation(here, asked.handle, peer).run, daemon=True).start()
        there.sendall(frame(Release(epoch=9)))
        body = msgspec.json.decode(read_frame(stream.read))
        there.shutdown(socket.SHUT_RDWR)
    assert body["error"]["code"] == "hello-first"
    assert set(body) == {"body", "error"}


def test_an_answer_that_fits_no_frame_is_told(connect: Connect) -> None:
    line = connect()
    line.ask(Hello(version="1"))
    assert code_of(line.ask(GetStatus())) == "frame-too-large"
    assert code_of(line.ask(GetConfig())) == ""


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"verb":"no-such"}', b'{"verb":"status","more":1}'])
def test_what_is_no_request_is_answered(connect: Connect, body: bytes) -> None:
    line = connect()
    line.ask(Hello(version="1"))
    assert code_of(line.send(len(body).to_bytes(4, "big") + body)) == "bad-request"


def test_another_protocol_may_ask_for_the_status_and_nothing_else(connect: Connect, asked: Asked) -> None:
    line = connect()
    body = msgspec.json.encode(Hello(version="9", protocol=99))
    assert code_of(line.send(len(body).to_bytes(4, "big") + body)) == ""
    assert code_of(line.ask(StartCycle())) == "protocol-differs"
    line.ask(GetStatus())
    assert [name for name, _ in asked.requests] == ["Hello", "GetStatus"]


def test_many_ask_at_once(connect: Connect) -> None:
    answers: list[str] = []

    def ask() -> None:
        line = connect()
        line.ask(Hello(version="1"))
        answers.append(code_of(line.ask(GetConfig())))

    threads = [Thread(target=ask) for _ in range(50)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert answers == [""] * 50
