"""The pair's channel over a real sshd: frames, deadlines, files, and what the forced command refuses."""

import os
import re
import stat
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import pytest

from beistand import __version__
from beistand.adapters.rsync import check_rsync
from beistand.adapters.ssh import SshPeer
from beistand.domain.config import ModuleConfig
from beistand.domain.errors import (
    Cancelled,
    Failed,
    NoSpace,
    PeerError,
    PeerRefused,
    PeerUnreachable,
)
from beistand.domain.job import Job, JobKind
from beistand.domain.message import Message
from beistand.domain.pair import Appliance, Greeting
from beistand.domain.value import Value
from beistand.ports.peer import Sent
from beistand.protocol import Done, Greet, Hello, PushConfig, WatchJob, Welcome
from contracts.other_end import (
    OWN_IP,
    PAIR,
    SERVER,
    OtherEnd,
    Wire,
    fingerprint_of,
    make_key,
    other_end,
    until,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="sshd with accounts of its own needs root")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SAY = Message(code="nothing-to-say")


@pytest.fixture(scope="module")
def running() -> Iterator[OtherEnd]:
    with other_end() as end:
        yield end


@pytest.fixture
def end(running: OtherEnd) -> Iterator[OtherEnd]:
    running.reply = lambda request: SAY
    running.requests.clear()
    running.pair_up()
    for folder in ("manifest", "files", "databases"):
        subprocess.run(["rm", "-rf", running.inbox / folder], check=True)
    yield running
    running.line().hang_up()


@pytest.fixture
def peer(end: OtherEnd) -> Iterator[SshPeer]:
    peer = end.peer()
    yield peer
    peer.close()


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


def say(request: Value) -> Value | Message:
    """An agent that has an answer."""
    if isinstance(request, Greet):
        return request.greeting
    if isinstance(request, PushConfig):
        return Done()
    return SAY


def send(peer: SshPeer, source: Path, *names: str, folder: str = "files", limit: int = 0) -> Sent:
    return peer.send(
        source, names, folder, bandwidth_limit=limit, cancelled=Event(), progress=lambda done, total: None
    )


# --- conversations ------------------------------------------------------------------------------


def test_hello_comes_first_and_a_greeting_comes_back(end: OtherEnd, peer: SshPeer) -> None:
    end.reply = say
    assert peer.greet(greeting()) == greeting()
    assert end.requests[0] == Hello(version=__version__, pair=PAIR)


def test_a_conversation_is_kept_for_the_next_request(end: OtherEnd, peer: SshPeer) -> None:
    end.reply = say
    for _ in range(3):
        peer.greet(greeting())
    assert [type(each) for each in end.requests] == [Hello, Greet, Greet, Greet]


def test_the_peers_own_message_arrives(end: OtherEnd, peer: SshPeer) -> None:
    end.reply = lambda request: SAY if isinstance(request, Hello) else Message(code="no", fields={"n": 3})
    with pytest.raises(PeerRefused) as refused:
        peer.push_config(ModuleConfig())
    assert refused.value.message == Message(code="no", fields={"n": 3})


def test_a_peer_of_another_protocol_is_refused_clearly(end: OtherEnd, peer: SshPeer) -> None:
    """F15: handshake, clear refusal."""
    end.reply = lambda request: Welcome(protocol=99, version="9.0")
    with pytest.raises(PeerRefused, match="protocol-differs") as refused:
        peer.greet(greeting())
    assert refused.value.message.fields == {"mine": 1, "yours": 99, "version": "9.0"}


def test_an_answer_of_another_shape_is_an_error_not_a_value(end: OtherEnd, peer: SshPeer) -> None:
    end.reply = lambda request: SAY if isinstance(request, Hello) else Welcome(protocol=1, version="x")
    with pytest.raises(PeerRefused, match="peer-unreadable"):
        peer.greet(greeting())


def test_waiting_for_a_job_delays_no_other_call(end: OtherEnd, peer: SshPeer) -> None:
    """S2: greetings and a cancel go through while a long watch waits."""
    let_go = Event()
    job = Job(id="j", kind=JobKind.RECEIVE, begin=NOW)

    def reply(request: Value) -> Value | Message:
        if isinstance(request, WatchJob):
            let_go.wait(20)
            return job
        return say(request)

    end.reply = reply
    seen: list[Job] = []
    watch = Thread(target=lambda: seen.append(peer.watch("j", 0, 10)))
    watch.start()
    until(lambda: any(isinstance(each, WatchJob) for each in end.requests), "the watch has begun")
    peer.greet(greeting())
    peer.push_config(ModuleConfig())
    assert not seen
    let_go.set()
    watch.join(10)
    assert seen == [job]


def test_a_silent_agent_ends_the_call_at_its_deadline_and_the_next_call_works(
    end: OtherEnd, peer: SshPeer
) -> None:
    """F12: every call has a deadline."""
    end.reply = lambda request: None if isinstance(request, Greet) else SAY
    begin = monotonic()
    with pytest.raises(PeerUnreachable, match="peer-silent"):
        peer.greet(greeting(), 2.0)
    assert 1.9 < monotonic() - begin < 4.0
    end.reply = say
    assert peer.greet(greeting()) == greeting()


def test_a_line_that_falls_silent_ends_the_call_and_the_next_one_reconnects(end: OtherEnd) -> None:
    """F12: half open, no FIN and no RST."""
    end.reply = say
    wire = Wire(end.port)
    peer = end.peer(port=wire.port)
    try:
        peer.greet(greeting())
        wire.freeze()
        with pytest.raises(PeerUnreachable, match="peer-silent"):
            peer.greet(greeting(), 1.0)
        wire.heal()
        assert peer.greet(greeting()) == greeting()
    finally:
        peer.close()
        wire.close()


def test_nobody_listening_is_told_at_once(end: OtherEnd) -> None:
    peer = end.peer(port=1)
    with pytest.raises(PeerUnreachable, match="peer-port-closed"):
        peer.greet(greeting())
    peer.close()


def test_a_key_from_another_address_is_refused(end: OtherEnd) -> None:
    peer = end.peer(own_ip="127.0.0.3")
    with pytest.raises(PeerRefused, match="peer-key-refused"):
        peer.greet(greeting())
    peer.close()


def test_a_changed_host_key_is_a_hard_stop_with_both_fingerprints(end: OtherEnd, tmp_path: Path) -> None:
    """F11: no secret sent, both fingerprints."""
    other = tmp_path / "other"
    make_key(other)
    end.keys.trust(SERVER, other.with_suffix(".pub").read_text())
    peer = end.peer()
    with pytest.raises(PeerError, match="host-key-changed") as changed:
        peer.greet(greeting())
    peer.close()
    assert changed.value.message.fields["expected"] == fingerprint_of(other)
    assert changed.value.message.fields["found"] == fingerprint_of(end.host_key)


def test_a_peer_whose_agent_is_down_is_unreachable(end: OtherEnd, peer: SshPeer) -> None:
    hidden = end.places.socket.rename(end.places.socket.with_suffix(".hidden"))
    try:
        with pytest.raises(PeerUnreachable, match="peer-agent-down"):
            peer.greet(greeting())
    finally:
        hidden.rename(end.places.socket)


def test_a_request_of_people_never_reaches_the_agent(end: OtherEnd) -> None:
    """S15, F18: the peer's key asks what a peer may ask."""
    told = _session(end, "beistand peer", stdin=_framed(b'{"verb":"takeover","digest":"","operator":"x"}'))
    assert b"bad-request" in told.stdout
    assert end.requests == []


# --- files --------------------------------------------------------------------------------------


def test_files_arrive_whatever_their_modes_and_names(end: OtherEnd, peer: SshPeer, tmp_path: Path) -> None:
    names = ["etc/asterisk/sip.conf", "#c", ";d", " x*?[y]", "-rf", "n\nl", os.fsdecode(b"e\xff\xfe")]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(name))
        path.chmod(0o400)
    (tmp_path / "etc/asterisk").chmod(0o777)
    seen: list[tuple[int, int]] = []
    sent = peer.send(
        tmp_path,
        names,
        "files",
        bandwidth_limit=0,
        cancelled=Event(),
        progress=lambda done, total: seen.append((done, total)),
    )
    assert sent.files == len(names)
    assert 0 < sent.bytes_on_wire < 2000
    total = sum(len(os.fsencode(each)) for each in names)
    assert seen[-1] == (total, total)
    for name in names:
        assert (end.inbox / "files" / name).read_bytes() == os.fsencode(name)
    for path in end.inbox.rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert (stat.S_IMODE(path.lstat().st_mode), path.lstat().st_uid) == (wanted, 64321), path


def test_a_changed_byte_travels_though_size_and_time_are_the_same(
    end: OtherEnd, peer: SshPeer, tmp_path: Path
) -> None:
    path = tmp_path / "f"
    for content in (b"one", b"two"):
        path.write_bytes(content)
        os.utime(path, (1e9, 1e9))
        send(peer, tmp_path, "f")
        arrived = end.inbox / "files/f"
        os.utime(arrived, (1e9, 1e9))
        assert arrived.read_bytes() == content


@pytest.mark.parametrize("folder", ["files", "databases"])
def test_a_killed_transfer_goes_on_where_it_was(
    end: OtherEnd, peer: SshPeer, tmp_path: Path, folder: str
) -> None:
    """F12: resumes."""
    size = 4_000_000
    (tmp_path / "big").write_bytes(os.urandom(size))
    cancelled = Event()
    with pytest.raises(Cancelled):
        peer.send(
            tmp_path,
            ["big"],
            folder,
            bandwidth_limit=2000,
            cancelled=cancelled,
            progress=lambda done, total: cancelled.set() if done > size / 2 else None,
        )
    arrived = end.inbox / folder / "big"
    until(lambda: arrived.exists() and arrived.stat().st_size > size / 3, "the first part is there")
    sent = send(peer, tmp_path, "big", folder=folder)
    assert arrived.read_bytes() == (tmp_path / "big").read_bytes()
    assert sent.bytes_on_wire < size * 0.7


def test_of_a_dump_only_the_difference_travels(end: OtherEnd, peer: SshPeer, tmp_path: Path) -> None:
    old = os.urandom(1_000_000)
    (tmp_path / "dump").write_bytes(old)
    send(peer, tmp_path, "dump", folder="databases")
    (tmp_path / "dump").write_bytes(b"a new first row" + old)
    assert send(peer, tmp_path, "dump", folder="databases").bytes_on_wire < 20_000


def test_a_dump_that_a_kill_left_half_built_is_cleared_away(
    end: OtherEnd, peer: SshPeer, tmp_path: Path
) -> None:
    (tmp_path / "dump").write_bytes(b"x")
    send(peer, tmp_path, "dump", folder="databases")
    (end.inbox / "databases/.dump.AbC123").write_bytes(b"half")
    send(peer, tmp_path, "dump", folder="databases")
    assert [each.name for each in (end.inbox / "databases").iterdir()] == ["dump"]


@pytest.mark.parametrize("what", ["gone", "link", "pipe"])
def test_what_is_no_file_any_more_is_told_and_never_sent(
    end: OtherEnd, peer: SshPeer, tmp_path: Path, what: str
) -> None:
    (tmp_path / "here").write_bytes(b"x")
    if what == "link":
        (tmp_path / what).symlink_to("/etc/shadow")
    if what == "pipe":
        os.mkfifo(tmp_path / what)
    with pytest.raises(Failed, match="files-vanished") as failed:
        send(peer, tmp_path, "here", what)
    assert what in str(failed.value.message.fields["first"])
    assert {each.name for each in (end.inbox / "files").iterdir()} == {"here"}


def test_a_full_disk_there_is_told_as_such(end: OtherEnd, peer: SshPeer, tmp_path: Path) -> None:
    """F2"""
    (tmp_path / "big").write_bytes(os.urandom(3_000_000))
    end.in_namespace("mount", "-t", "tmpfs", "-o", "size=1m,mode=0777", "tmpfs", str(end.inbox))
    try:
        with pytest.raises(NoSpace, match="peer-disk-full"):
            send(peer, tmp_path, "big")
    finally:
        end.in_namespace("umount", "-l", str(end.inbox))


def test_a_transfer_to_nobody_is_unreachable(end: OtherEnd, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    peer = end.peer(port=1)
    with pytest.raises(PeerUnreachable, match="peer-port-closed"):
        send(peer, tmp_path, "f")


def test_a_transfer_over_a_line_that_falls_silent_ends_in_time(end: OtherEnd, tmp_path: Path) -> None:
    """F12: three unanswered questions, five seconds apart."""
    (tmp_path / "big").write_bytes(os.urandom(4_000_000))
    wire = Wire(end.port)
    peer = end.peer(port=wire.port)
    begin = monotonic()
    try:
        with pytest.raises(PeerUnreachable):
            peer.send(
                tmp_path,
                ["big"],
                "files",
                bandwidth_limit=1000,
                cancelled=Event(),
                progress=lambda done, total: wire.freeze() if done > 500_000 else None,
            )
    finally:
        peer.close()
        wire.close()
    assert monotonic() - begin < 40


def test_a_closed_channel_leaves_no_process(end: OtherEnd, tmp_path: Path) -> None:
    end.reply = say
    peer = end.peer()
    (tmp_path / "f").write_bytes(b"x")
    peer.greet(greeting())
    peer.push_config(ModuleConfig())
    send(peer, tmp_path, "f")
    peer.close()
    line = end.line()
    assert not line.control.exists()
    until(lambda: not _processes_with(str(line.control)), "every ssh has ended")


def test_this_machines_rsync_speaks_as_we_expect(tmp_path: Path) -> None:
    check_rsync(tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- what the forced command refuses ------------------------------------------------------------

GOOD = "rsync --server -pIRze.LsfxCIvu --timeout=120 --info=STATS2 --inplace --no-implied-dirs . files"
HOSTILE = [
    "sh",
    "id; sh",
    "beistand",
    "beistand peer; id",
    "beistand  peer",
    "beistand takeover",
    "beistand peer\nid",
    "rsync",
    "rsync --server --sender -pIRze.LsfxCIvu . files",
    GOOD.replace("--server", "--server --sender"),
    GOOD.replace(" files", " inbox"),
    GOOD.replace(" files", " /etc"),
    GOOD.replace(" files", " files/../../.ssh"),
    GOOD.replace(" files", " ../files"),
    GOOD.replace(" files", " file*"),
    GOOD.replace(" files", " {files,manifest}"),
    GOOD.replace(" files", " files manifest"),
    GOOD.replace(" files", " $HOME"),
    GOOD + "; id",
    GOOD + "\nid",
    GOOD + " --delete",
    GOOD.replace(" .", " --delete ."),
    GOOD.replace(" .", " -e sh ."),
    GOOD.replace(" .", " --rsh=sh ."),
    GOOD.replace(" .", " --log-file=/tmp/x ."),
    GOOD.replace(" .", " --temp-dir=/tmp ."),
    GOOD.replace(" .", " --partial-dir=/tmp ."),
    GOOD.replace(" .", " --backup-dir=/tmp ."),
    GOOD.replace(" .", " --link-dest=/etc ."),
    GOOD.replace(" .", " --copy-dest=/etc ."),
    GOOD.replace(" .", " --files-from=/etc/shadow ."),
    GOOD.replace(" .", " --daemon ."),
    GOOD.replace(" .", " --config=/tmp/x ."),
    GOOD.replace(" .", " --bwlimit=x ."),
    GOOD.replace("-pIRz", "-plIRz"),
    GOOD.replace("-pIRz", "-pDIRz"),
    GOOD.replace("-pIRz", "-pogIRz"),
    GOOD.replace("rsync ", "/tmp/rsync ", 1),
    GOOD.replace("rsync ", "rsync\t", 1),
    "scp -t files",
    "/usr/lib/openssh/sftp-server",
    "$(id)",
    "`id`",
    "x" * 100_000,
]


@pytest.mark.parametrize("command", HOSTILE, ids=lambda command: repr(command[-60:]))
def test_the_forced_command_refuses(end: OtherEnd, command: str) -> None:
    """S15: nothing but the peer's verbs and our own transfer."""
    told = _session(end, command)
    assert (told.returncode, told.stdout) == (1, b"")
    assert told.stderr.decode().splitlines() == ["beistand peer: command-refused"]
    assert list(end.inbox.iterdir()) == []


@pytest.mark.parametrize("wish", ["-tt", "-s"])
def test_the_key_opens_no_terminal_and_no_subsystem(end: OtherEnd, wish: str) -> None:
    told = _session(end, "sftp", extra=[wish])
    assert told.returncode in (1, 255)
    assert told.stdout == b""


def _session(
    end: OtherEnd, command: str, *, stdin: bytes = b"", extra: list[str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    program = end.line().program(shared=True)
    return subprocess.run(
        [*program, *(extra or []), f"beistand-peer@{SERVER}", command],
        input=stdin,
        capture_output=True,
        timeout=30,
        check=False,
    )


def _processes_with(argument: str) -> list[str]:
    told = subprocess.run(["pgrep", "-af", argument], check=False, capture_output=True, text=True)
    return told.stdout.splitlines()


def _framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


# --- keys ---------------------------------------------------------------------------------------


def test_keys_are_private_and_the_authorised_line_is_narrow(end: OtherEnd) -> None:
    keys = end.keys
    for path in (keys.private_key, keys.known_hosts):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.folder.stat().st_mode) == 0o700
    line = keys.authorised.read_text()
    wanted = rf'restrict,from="{re.escape(OWN_IP)}",command="\S+" ssh-ed25519 \S+\n'
    assert re.fullmatch(wanted, line)
    # The account reads its authorised key and cannot write it.
    status = keys.authorised.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o640, 0)


@pytest.mark.parametrize(
    "line",
    ["", "ssh-rsa AAAA", 'ssh-ed25519 AAAA" x', "ssh-ed25519 " + "A" * 68 + "\nssh-ed25519 " + "B" * 68],
)
def test_only_one_ed25519_key_is_ever_written(end: OtherEnd, line: str) -> None:
    before = end.keys.authorised.read_text()
    with pytest.raises(Exception, match="bad-ssh-key"):
        end.keys.authorise(line, OWN_IP)
    assert end.keys.authorised.read_text() == before


def test_an_undone_pairing_leaves_the_keys_as_they_were(end: OtherEnd, tmp_path: Path) -> None:
    before = (end.keys.authorised.read_bytes(), end.keys.known_hosts.read_bytes())
    put_back = end.keys.undo_point()
    make_key(tmp_path / "other")
    other = (tmp_path / "other.pub").read_text()
    end.keys.authorise(other, "127.0.0.9")
    end.keys.trust(SERVER, other)
    put_back()
    assert (end.keys.authorised.read_bytes(), end.keys.known_hosts.read_bytes()) == before
