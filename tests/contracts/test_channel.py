"""The pair's channel over a real sshd: hello, frames, deadlines, host keys."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import pytest

from beistand import __version__
from beistand.adapters.ssh import SshPeer
from beistand.domain.account import MOST_ACCOUNTS, MOST_TOKENS, Account, AccountRole, ApiToken
from beistand.domain.config import ModuleConfig
from beistand.domain.errors import PeerError, PeerRefused, PeerUnreachable
from beistand.domain.job import Job, JobKind
from beistand.domain.mail import MailServer
from beistand.domain.message import Message
from beistand.domain.pair import PROTOCOL_VERSION, Appliance, Greeting
from beistand.domain.settings import PairSettings
from beistand.domain.value import Value
from beistand.protocol import Done, Greet, Hello, PushConfig, PushSettings, WatchJob, Welcome
from contracts.other_end import PAIR, SAY, SERVER, OtherEnd, Wire, fingerprint_of, make_key, until

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GENEROUS_SECONDS = 30.0


def greeting() -> Greeting:
    appliance = Appliance(
        node="00" * 8,
        host="pbx-a",
        own_address="192.0.2.1/24",
        service_addresses=("192.0.2.10",),
        mac="02:00:00:00:00:01",
        beistand_version=__version__,
        pbx_version="22.1",
        profile="asterisk",
        licence_key="",
        gateway="",
        dns=(),
        is_static=True,
        now=NOW,
    )
    return Greeting(
        appliance=appliance,
        grant=None,
        own_epoch=0,
        serving=False,
        verified=False,
        served_unverified_seconds=0,
        config_revision=1,
        newest=None,
    )


def greet(peer: SshPeer) -> Greeting:
    """With time for an ssh, a session of sshd and a fresh Python to start, where no deadline is looked at."""
    return peer.greet(greeting(), GENEROUS_SECONDS)


def say(request: Value) -> Value | Message:
    """An agent that has an answer."""
    if isinstance(request, Greet):
        return request.greeting
    if isinstance(request, PushConfig | PushSettings):
        return Done()
    return SAY


def test_hello_comes_first_and_a_greeting_comes_back(end: OtherEnd, peer: SshPeer) -> None:
    end.reply = say
    assert greet(peer) == greeting()
    assert end.requests[0] == Hello(version=__version__, pair=PAIR)


def test_a_conversation_is_kept_for_the_next_request(end: OtherEnd, peer: SshPeer) -> None:
    end.reply = say
    for _ in range(3):
        greet(peer)
    assert [type(each) for each in end.requests] == [Hello, Greet, Greet, Greet]


def test_pair_settings_arrive_whole_however_many(end: OtherEnd, peer: SshPeer) -> None:
    """S21: the standby can mail, and its page can be logged into, on the day. All of them fit one frame."""
    end.reply = say
    settings = PairSettings(
        accounts=tuple(
            Account(name="a" * 32, role=AccountRole.VIEWER, verifier="$" * 120, since=NOW)
            for _ in range(MOST_ACCOUNTS)
        ),
        tokens=tuple(
            ApiToken(
                id="1" * 8, name="a" * 32, role=AccountRole.VIEWER, digest="0" * 64, since=NOW, by="a" * 32
            )
            for _ in range(MOST_TOKENS)
        ),
        mail_server=MailServer(host="mail.example.org", password="secret"),
        revision=7,
    )
    peer.push_settings(settings)
    assert end.requests[-1] == PushSettings(settings=settings)


def test_the_peers_own_message_arrives(end: OtherEnd, peer: SshPeer) -> None:
    end.reply = lambda request: SAY if isinstance(request, Hello) else Message(code="no", fields={"n": 3})
    with pytest.raises(PeerRefused) as refused:
        peer.push_config(ModuleConfig())
    assert refused.value.message == Message(code="no", fields={"n": 3})


def test_a_peer_of_another_protocol_is_refused_clearly(end: OtherEnd, peer: SshPeer) -> None:
    """F15: handshake, clear refusal."""
    end.reply = lambda request: Welcome(protocol=99, version="9.0")
    with pytest.raises(PeerRefused, match="protocol-differs") as refused:
        greet(peer)
    assert refused.value.message.fields == {"mine": PROTOCOL_VERSION, "yours": 99, "version": "9.0"}


def test_an_answer_of_another_shape_is_an_error_not_a_value(end: OtherEnd, peer: SshPeer) -> None:
    end.reply = lambda request: SAY if isinstance(request, Hello) else Welcome(protocol=1, version="x")
    with pytest.raises(PeerRefused, match="peer-unreadable"):
        greet(peer)


def test_waiting_for_a_job_delays_no_other_call(end: OtherEnd, peer: SshPeer) -> None:
    """S2: greetings and a cancel go through while a long watch waits."""
    let_go = Event()
    job = Job(id="j", kind=JobKind.RECEIVE, begin=NOW)

    def reply(request: Value) -> Value | Message:
        if isinstance(request, WatchJob):
            let_go.wait(2 * GENEROUS_SECONDS)
            return job
        return say(request)

    end.reply = reply
    seen: list[Job] = []
    watch = Thread(target=lambda: seen.append(peer.watch("j", 0, 2 * GENEROUS_SECONDS)))
    watch.start()
    begun = lambda: any(isinstance(each, WatchJob) for each in end.requests)  # noqa: E731
    until(begun, "the watch has begun", GENEROUS_SECONDS)
    greet(peer)
    peer.push_config(ModuleConfig())
    assert not seen
    let_go.set()
    watch.join(10)
    assert seen == [job]


def test_a_silent_agent_ends_the_call_at_its_deadline_and_the_next_call_works(
    end: OtherEnd, peer: SshPeer
) -> None:
    """F12: every call has a deadline."""
    end.reply = say
    greet(peer)
    end.reply = lambda request: None if isinstance(request, Greet) else SAY
    begin = monotonic()
    with pytest.raises(PeerUnreachable, match="peer-silent"):
        peer.greet(greeting(), 2.0)
    assert 1.9 < monotonic() - begin < 4.0
    end.reply = say
    assert greet(peer) == greeting()


def test_a_line_that_falls_silent_ends_the_call_and_the_next_one_reconnects(end: OtherEnd) -> None:
    """F12: half open, no FIN and no RST."""
    end.reply = say
    wire = Wire(end.port)
    peer = end.peer(port=wire.port)
    try:
        greet(peer)
        wire.freeze()
        with pytest.raises(PeerUnreachable, match="peer-silent"):
            peer.greet(greeting(), 1.0)
        wire.heal()
        assert greet(peer) == greeting()
    finally:
        peer.close()
        wire.close()


def test_a_peer_that_was_off_for_a_moment_is_asked_over_a_new_connection(end: OtherEnd) -> None:
    """F1: the shared connection outlives the machine at its other end; the next cycle must not fail for it."""
    end.reply = say
    wire = Wire(end.port)
    peer = end.peer(port=wire.port)
    try:
        peer.push_config(ModuleConfig())
        wire.reboot()
        peer.push_config(ModuleConfig())
    finally:
        peer.close()
        wire.close()


def test_nobody_listening_is_told_at_once(end: OtherEnd) -> None:
    peer = end.peer(port=1)
    with pytest.raises(PeerUnreachable, match="peer-port-closed"):
        greet(peer)
    peer.close()


def test_a_key_from_another_address_is_refused(end: OtherEnd) -> None:
    peer = end.peer(own_ip="127.0.0.3")
    with pytest.raises(PeerRefused, match="peer-key-refused"):
        greet(peer)
    peer.close()


def test_a_changed_host_key_is_a_hard_stop_with_both_fingerprints(end: OtherEnd, tmp_path: Path) -> None:
    """F11: no secret sent, both fingerprints."""
    other = tmp_path / "other"
    make_key(other)
    end.keys.trust(SERVER, other.with_suffix(".pub").read_text())
    peer = end.peer()
    with pytest.raises(PeerError, match="host-key-changed") as changed:
        greet(peer)
    peer.close()
    assert changed.value.message.fields["expected"] == fingerprint_of(other)
    assert changed.value.message.fields["found"] == fingerprint_of(end.host_key)


def test_a_peer_whose_agent_is_down_is_unreachable(end: OtherEnd, peer: SshPeer) -> None:
    hidden = end.places.socket.rename(end.places.socket.with_suffix(".hidden"))
    try:
        with pytest.raises(PeerUnreachable, match="peer-agent-down"):
            greet(peer)
    finally:
        hidden.rename(end.places.socket)


def test_a_closed_channel_leaves_no_process(end: OtherEnd, tmp_path: Path) -> None:
    end.reply = say
    peer = end.peer()
    (tmp_path / "f").write_bytes(b"x")
    greet(peer)
    peer.push_config(ModuleConfig())
    peer.send(
        tmp_path, ["f"], "files", bandwidth_limit=0, cancelled=Event(), progress=lambda done, total: None
    )
    peer.close()
    line = end.line()
    until(lambda: not line.control.exists(), "the shared connection has ended")
    until(lambda: not _processes_with(str(line.control)), "every ssh has ended")


def _processes_with(argument: str) -> list[str]:
    told = subprocess.run(["pgrep", "-af", argument], check=False, capture_output=True, text=True)
    return told.stdout.splitlines()
