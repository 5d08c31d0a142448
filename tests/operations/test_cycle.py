"""A cycle against a peer that checks every byte, cut and disturbed in every way that we know of."""

import os
import threading
from pathlib import Path
from typing import cast

import pytest

from beistand.domain.connections import Connection
from beistand.domain.errors import (
    BeistandError,
    Cancelled,
    Failed,
    NoSpace,
    PeerRefused,
    PeerUnreachable,
    Refused,
)
from beistand.domain.generation import CopyState
from beistand.domain.message import message
from beistand.operations.cycle import TAKES, run_cycle
from beistand.ports.node import Node
from fakes.active import Active, make_active
from fakes.network import FakeConnections
from fakes.peer import nothing, unreachable
from fakes.progress import FakeProgress
from fakes.standby import INSTALLATION


@pytest.fixture
def active(tmp_path: Path) -> Active:
    active = make_active(tmp_path)
    for number in range(5):
        active.write(f"voicemail/INBOX/msg{number}.wav", f"message {number}")
    active.insert("/CFW/101")
    return active


def manifests(active: Active) -> set[str]:
    return {path.stem for path in active.node.places.manifests.iterdir()}


def test_the_first_cycle_brings_everything(active: Active, tmp_path: Path) -> None:
    job = FakeProgress()
    copy = active.cycle(job)
    assert copy.state is CopyState.IMPORTED
    assert copy.asked
    assert copy.bytes_on_wire > 0
    assert active.there("voicemail/INBOX/msg3.wav") == "message 3"
    assert active.rows_there(tmp_path / "scratch") == ["/CFW/101"]
    assert job.stages == ["scan", "databases", "offer", "transfer", "import"]
    assert active.newest() == copy


def test_each_cycle_tells_what_the_service_address_is_connected_to(active: Active) -> None:
    """B8: also one in which nothing changed; a no-change cycle stays one."""
    told = Connection(port=5061, peer="192.0.2.50", peer_port=40000)
    rows = cast("FakeConnections", active.node.connections).rows
    rows += [(INSTALLATION.service_ip, told), (INSTALLATION.own_ip, told)]
    for _ in range(2):
        active.cycle()
        assert active.peer.connections == (told,)
    assert active.travelled() == []


def test_only_what_changed_travels(active: Active, tmp_path: Path) -> None:
    active.cycle()
    active.write("voicemail/INBOX/msg1.wav", "new")
    (active.tree / "voicemail/INBOX/msg2.wav").unlink()
    active.cycle()
    assert active.travelled() == ["voicemail/INBOX/msg1.wav"]
    assert active.there("voicemail/INBOX/msg1.wav") == "new"
    assert active.there("voicemail/INBOX/msg2.wav") is None
    active.insert("/CFW/102")
    active.cycle()
    assert [folder for folder, _ in active.peer.sent] == ["databases", "manifest"]
    assert active.rows_there(tmp_path / "scratch") == ["/CFW/101", "/CFW/102"]


def test_a_message_that_was_heard_costs_no_bytes(active: Active) -> None:
    active.cycle()
    (active.tree / "voicemail/Old").mkdir()
    (active.tree / "voicemail/INBOX/msg0.wav").rename(active.tree / "voicemail/Old/msg0.wav")
    copy = active.cycle()
    assert active.travelled() == []
    assert active.there("voicemail/Old/msg0.wav") == "message 0"
    assert copy.bytes_on_wire < 700  # three lines of delta


def test_without_a_change_nothing_travels_and_the_age_is_new(active: Active) -> None:
    first = active.cycle()
    again = active.cycle()
    assert active.peer.sent == []
    assert again.bytes_on_wire == 0
    assert again.generation.manifest == first.generation.manifest
    assert again.generation.begin > first.generation.begin


def test_a_byte_changed_with_size_and_time_put_back_travels(active: Active) -> None:
    active.cycle()
    file = active.tree / "voicemail/INBOX/msg1.wav"
    status = file.stat()
    file.write_text("MESSAGE 1")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    active.cycle()
    assert active.there("voicemail/INBOX/msg1.wav") == "MESSAGE 1"


@pytest.mark.parametrize("name", [b"fr\xe9d\xe9ric", b"new\nline", b" -e rm", b"#1", "ü".encode(), b"a\\b"])
def test_odd_names_travel(active: Active, name: bytes) -> None:
    active.write(os.fsdecode(name), "content")
    active.cycle()
    assert active.there(os.fsdecode(name)) == "content"


def test_a_peer_that_lost_its_data_gets_everything(active: Active) -> None:
    active.cycle()
    active.peer.forgets = True
    active.cycle()
    assert len(active.travelled()) == 5


def test_a_manifest_that_is_gone_here_costs_a_whole_transfer(active: Active) -> None:
    active.cycle()
    for path in active.node.places.manifests.iterdir():
        path.unlink()
    active.write("more")
    assert active.cycle().state is CopyState.IMPORTED
    assert active.there("more") == "x"


def test_only_manifests_that_are_needed_are_kept(active: Active) -> None:
    for number in range(3):
        active.write("a", str(number))
        live = active.cycle().generation.manifest
    assert manifests(active) == {live}
    active.peer.before = unreachable("send files")
    for number in range(3):
        active.write("a", f"failed {number}")
        with pytest.raises(PeerUnreachable):
            active.cycle()
    assert manifests(active) == {live, active.newest().generation.manifest}


# --- files that change on the way -------------------------------------------------------------


def test_a_file_that_changes_before_it_travels_is_taken_anew(active: Active) -> None:
    active.cycle()
    file = active.write("fax.tiff", "half")
    changes = iter(["whole"])

    def write_once(what: str) -> None:
        if what == "offer" and (body := next(changes, None)):
            file.write_text(body)

    active.peer.before = write_once
    copy = active.cycle()
    assert copy.generation.growing == ()
    assert active.there("fax.tiff") == "whole"
    first, again = active.peer.offers[-2:]
    assert (first.id, first.begin) == (again.id, again.begin)


def test_a_recording_in_progress_is_left_for_the_next_cycle(active: Active) -> None:
    active.write("calm", "1")
    file = active.write("recording.wav", "begin")
    active.cycle()
    active.write("calm", "2")

    def record(what: str) -> None:
        if what == "sent files":
            with file.open("a") as recording:
                recording.write(" more")

    with file.open("a") as recording:
        recording.write(" some")
    active.peer.before = record
    copy = active.cycle()
    assert copy.state is CopyState.IMPORTED
    assert copy.generation.growing == (str(file),)
    assert active.there("recording.wav") == "begin"  # the earlier content stands
    assert active.there("calm") == "2"
    active.peer.before = nothing
    assert active.cycle().generation.growing == ()
    assert active.there("recording.wav") == file.read_text()


def test_a_recording_written_all_the_time_ends_no_cycle(active: Active) -> None:
    file = active.write("recording.wav", "begin")
    stop = threading.Event()

    def record() -> None:
        with file.open("a") as recording:
            while not stop.is_set():
                recording.write("more")
                recording.flush()

    thread = threading.Thread(target=record)
    thread.start()
    try:
        for number in range(5):
            active.write("calm", str(number))
            copy = active.cycle()
            assert copy.state is CopyState.IMPORTED
            assert copy.generation.growing == (str(file),)
            assert active.there("calm") == str(number)
    finally:
        stop.set()
        thread.join()


def test_a_file_that_vanishes_before_it_travels_is_gone(active: Active) -> None:
    file = active.write("short-lived")

    def unlink(what: str) -> None:
        if what == "send files":
            file.unlink(missing_ok=True)

    active.peer.before = unlink
    assert active.cycle().state is CopyState.IMPORTED
    assert active.there("short-lived") is None


def test_content_that_arrives_different_is_sent_again(active: Active, tmp_path: Path) -> None:
    damages = iter(["files"])

    def damage(what: str) -> None:
        if what == "receive" and next(damages, None):
            arrived = (
                tmp_path / "peer-inbox/files" / str(active.tree).lstrip("/") / "voicemail/INBOX/msg2.wav"
            )
            arrived.write_text("noise")

    active.peer.before = damage
    copy = active.cycle()
    assert copy.generation.growing == ()
    assert active.there("voicemail/INBOX/msg2.wav") == "message 2"


def test_content_that_always_arrives_different_fails_the_cycle(active: Active, tmp_path: Path) -> None:
    def damage(what: str) -> None:
        if what == "receive":
            for arrived in (tmp_path / "peer-inbox/files").rglob("msg2.wav"):
                arrived.write_text("noise")

    active.peer.before = damage
    with pytest.raises(PeerRefused, match="content-differs"):
        active.cycle()
    assert len(active.peer.offers) == TAKES
    assert active.peer.live == ""
    assert active.newest().state is CopyState.FAILED


def test_a_cycle_while_everything_moves_is_whole(active: Active) -> None:
    """Whatever the telephone system does meanwhile, what is imported is what the manifest says."""
    stop = threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            path = active.write(f"spool/{number % 7}/{number % 50}", "x" * number)
            if number % 3 == 0:
                path.unlink()
            stop.wait(0.001)  # the pace of the load

    thread = threading.Thread(target=work)
    thread.start()
    try:
        states = []
        for _ in range(10):
            try:
                states.append(active.cycle().state)
            except Failed as error:
                states.append(error.message.code)
    finally:
        stop.set()
        thread.join()
    assert set(states) <= {CopyState.IMPORTED, "files-changed-meanwhile", "files-vanished"}
    assert active.cycle().state is CopyState.IMPORTED
    on_disk = {str(path): path.read_bytes() for path in active.tree.rglob("*") if path.is_file()}
    assert {path: body for path, body in active.peer.contents.items() if path in on_disk} == on_disk


# --- what goes wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "stage"),
    [
        ("offer", "offer"),
        ("send files", "transfer"),
        ("send databases", "transfer"),
        ("send manifest", "transfer"),
        ("receive", "verify"),
        ("watch", "verify"),
    ],
)
def test_a_lost_line_is_recorded_and_the_next_cycle_works(active: Active, call: str, stage: str) -> None:
    active.cycle()
    active.write("voicemail/INBOX/msg1.wav", "new")
    active.insert("/CFW/102")
    active.peer.before = unreachable(call)
    with pytest.raises(PeerUnreachable):
        active.cycle()
    newest = active.newest()
    assert (newest.state, newest.failed_stage) == (CopyState.FAILED, stage)
    assert newest.why == message("peer-silent", server="192.0.2.2")
    active.peer.before = nothing
    assert active.cycle().state is CopyState.IMPORTED
    assert active.there("voicemail/INBOX/msg1.wav") == "new"


def test_a_short_break_of_the_line_while_the_peer_imports_is_bridged(active: Active) -> None:
    breaks = iter(range(3))

    def before(what: str) -> None:
        if what == "watch" and next(breaks, None) is not None:
            raise PeerUnreachable("peer-silent", server="192.0.2.2")

    active.peer.before = before
    assert active.cycle().state is CopyState.IMPORTED


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("offer", PeerRefused(message("pbx-version-differs", ours="1", theirs="2"))),
        ("offer", PeerRefused(message("no-space", path="/"))),
        ("make_room", PeerRefused(message("no-room-for-generation", mount="/", path="/a", size=1))),
        ("send files", NoSpace("peer-disk-full", server="192.0.2.2")),
        ("receive", PeerRefused(message("job-running", kind="receive", job="1"))),
    ],
)
def test_what_the_peer_refuses_is_told_in_its_words(active: Active, call: str, error: BeistandError) -> None:
    def before(what: str) -> None:
        if what == call:
            raise error

    active.peer.before = before
    with pytest.raises(type(error)):
        active.cycle()
    assert active.newest().why == error.message
    assert len(active.peer.offers) <= 1  # nothing was tried again within this try


def test_a_backup_that_fails_is_recorded_before_the_peer_hears_of_it(active: Active) -> None:
    active.cycle()
    offers = len(active.peer.offers)
    active.database.write_bytes(os.urandom(5000))
    with pytest.raises(Failed, match="database-not-dumped"):
        active.cycle()
    newest = active.newest()
    assert (newest.state, newest.failed_stage) == (CopyState.FAILED, "backup")
    assert newest.generation.sequence == 2
    assert len(active.peer.offers) == offers


def test_unpaired_there_is_no_cycle(active: Active) -> None:
    fields = {name: getattr(active.node, name) for name in Node.__dataclass_fields__}
    with pytest.raises(Refused, match="not-paired"):
        run_cycle(Node(**{**fields, "peer": None}), FakeProgress())
    assert active.store.copies() == ()


def test_cancelled_anywhere_it_ends_there_and_the_next_one_works(tmp_path: Path) -> None:
    job = FakeProgress()
    (tmp_path / "whole").mkdir()
    counted = make_active(tmp_path / "whole")
    counted.write("a")
    counted.cycle(job)
    for at in range(1, job.checks + 1):
        folder = tmp_path / str(at)
        folder.mkdir()
        active = make_active(folder)
        active.write("a")
        with pytest.raises(Cancelled):
            active.cycle(FakeProgress(cancel_at=at))
        newest = active.newest()
        assert (newest.state, newest.why) == (CopyState.FAILED, message("cancelled"))
        active.peer.before = nothing
        assert active.cycle().state is CopyState.IMPORTED


def test_cancelling_reaches_the_peer(active: Active) -> None:
    job = FakeProgress()

    def cancel(what: str) -> None:
        if what == "watch":
            job.cancelled.set()

    active.peer.before = cancel
    with pytest.raises(Cancelled):
        active.cycle(job)
    assert active.peer.cancelled == 1


def test_nothing_better_is_claimed_than_the_peer_said(active: Active) -> None:
    """B1"""
    active.peer.result = {"state": "verified"}
    assert active.cycle().state is CopyState.VERIFIED
    active.peer.result = {}
    assert active.cycle().state is CopyState.VERIFIED
