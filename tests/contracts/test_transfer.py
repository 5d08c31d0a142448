"""Files through a real rsync, a real sshd and the forced command: the port Peer's `send`."""

import os
import stat
from pathlib import Path
from threading import Event
from time import monotonic

import pytest

from beistand.adapters.rsync import check_rsync
from beistand.adapters.ssh import SshPeer
from beistand.domain.errors import Cancelled, Failed, NoSpace, PeerUnreachable
from beistand.ports.peer import Sent
from contracts.other_end import OtherEnd, Wire, until


def send(peer: SshPeer, source: Path, *names: str, folder: str = "files", limit: int = 0) -> Sent:
    return peer.send(
        source, names, folder, bandwidth_limit=limit, cancelled=Event(), progress=lambda done, total: None
    )


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
            bandwidth_limit=500,  # seconds are left to cancel it
            cancelled=cancelled,
            progress=lambda done, total: cancelled.set() if done > size * 0.4 else None,
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


def test_this_machines_rsync_speaks_as_we_expect(tmp_path: Path) -> None:
    check_rsync(tmp_path)
    assert list(tmp_path.iterdir()) == []
