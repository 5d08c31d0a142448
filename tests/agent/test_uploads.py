"""S16: an upload is one file under a quota, is looked at before it is imported, and never stays behind."""

from pathlib import Path

import pytest

from beistand.agent.uploads import IDLE_SECONDS
from beistand.agent.worker import Progress
from beistand.domain.errors import BeistandError, Refused
from beistand.domain.export import RESERVE_BYTES
from beistand.domain.job import JobKind, JobState
from beistand.operations.importing import live_generation
from beistand.protocol import (
    CHUNK_BYTES,
    BeginUpload,
    CheckUpload,
    CreateBackup,
    DropUpload,
    GetStatus,
    GetUpload,
    ImportUpload,
    PlanTakeover,
    SendUpload,
    StartTakeover,
    TakeoverPlanAnswer,
    UploadView,
)
from fakes.agents import OneOfTwo, TwoAgents
from fakes.carrying import ended, sent, with_files


@pytest.fixture
def carrying(two: TwoAgents) -> TwoAgents:
    return with_files(two)


def folder(one: OneOfTwo) -> Path:
    return one.folder / "state" / "upload"


def saved(one: OneOfTwo, passphrase: str = "") -> bytes:
    job = ended(one, one.ask(CreateBackup(passphrase=passphrase)))
    assert job.state is JobState.DONE, job
    return one.agent.wiring.backups.path(str(job.result["backup"])).read_bytes()


def view(one: OneOfTwo) -> UploadView:
    found = one.ask(GetUpload())
    assert isinstance(found, UploadView)
    return found


def test_what_was_shown_and_confirmed_is_imported(carrying: TwoAgents) -> None:
    standby = carrying.b
    begun = sent(standby, saved(carrying.a))
    job = ended(standby, standby.ask(CheckUpload(id=begun.id)))
    assert (job.kind, job.state) == (JobKind.CHECK, JobState.DONE)
    assert live_generation(standby.agent.node) is None
    seen = view(standby)
    assert seen.generation is not None
    assert (seen.name, seen.problem, seen.needs_passphrase) == ("x.beistand", None, False)
    assert seen.host
    with pytest.raises(Refused, match="upload-other-generation"):
        standby.ask(ImportUpload(id=begun.id, generation="20200101T000000Z-1"))
    job = ended(standby, standby.ask(ImportUpload(id=begun.id, generation=seen.generation.id)))
    assert (job.kind, job.state) == (JobKind.SEED, JobState.DONE)
    assert live_generation(standby.agent.node) == seen.generation
    assert not folder(standby).exists()
    assert view(standby).id == ""
    for each in (carrying.a, standby):
        usable = each.ask(GetStatus()).usable  # type: ignore[attr-defined]
        assert usable.generation == seen.generation


def test_a_passphrase_is_asked_for_and_kept_until_the_import(carrying: TwoAgents) -> None:
    standby = carrying.b
    begun = sent(standby, saved(carrying.a, "correct horse"))
    assert view(standby).needs_passphrase
    for wrong, code in (("", "passphrase-missing"), ("wrong", "passphrase-wrong")):
        job = ended(standby, standby.ask(CheckUpload(id=begun.id, passphrase=wrong)))
        assert job.error is not None
        assert job.error.code == code
    ended(standby, standby.ask(CheckUpload(id=begun.id, passphrase="correct horse")))
    seen = view(standby).generation
    assert seen is not None
    job = ended(standby, standby.ask(ImportUpload(id=begun.id, generation=seen.id)))
    assert job.state is JobState.DONE
    assert "correct horse" not in repr((CheckUpload(id="x", passphrase="correct horse"), CreateBackup()))


def test_what_is_no_backup_has_a_problem_and_cannot_be_imported(carrying: TwoAgents) -> None:
    standby = carrying.b
    begun = sent(standby, b"holiday pictures")
    job = ended(standby, standby.ask(CheckUpload(id=begun.id)))
    assert job.state is JobState.FAILED
    problem = view(standby).problem
    assert problem is not None
    assert problem.code == "export-damaged"
    with pytest.raises(Refused, match="upload-not-checked"):
        standby.ask(ImportUpload(id=begun.id, generation=""))


def test_what_is_changed_after_the_check_must_be_checked_again(carrying: TwoAgents) -> None:
    standby, body = carrying.b, saved(carrying.a)
    begun = sent(standby, body, size=0)
    ended(standby, standby.ask(CheckUpload(id=begun.id)))
    seen = view(standby).generation
    assert seen is not None
    standby.ask(SendUpload(id=begun.id, offset=len(body), data=b"more"))
    with pytest.raises(Refused, match="upload-not-checked"):
        standby.ask(ImportUpload(id=begun.id, generation=seen.id))


def test_left_alone_it_goes(carrying: TwoAgents) -> None:
    standby = carrying.b
    sent(standby, b"half of it", size=1000)
    carrying.clock.advance(IDLE_SECONDS - 1)
    standby.agent.uploads.tick()
    assert (folder(standby) / "export").read_bytes() == b"half of it"
    assert folder(standby).stat().st_mode & 0o777 == 0o700
    view(standby)
    carrying.clock.advance(IDLE_SECONDS - 1)
    standby.agent.uploads.tick()
    assert folder(standby).exists()
    carrying.clock.advance(2)
    standby.agent.uploads.tick()
    assert not folder(standby).exists()
    assert view(standby).id == ""


def test_dropped_or_begun_anew_nothing_of_the_old_one_stays(carrying: TwoAgents) -> None:
    standby = carrying.b
    first = sent(standby, b"first", size=1000)
    second = sent(standby, b"2nd", size=1000)
    with pytest.raises(Refused, match="upload-unknown"):
        standby.ask(SendUpload(id=first.id, offset=5, data=b"x"))
    assert (folder(standby) / "export").read_bytes() == b"2nd"
    standby.ask(DropUpload(id=second.id))
    assert not folder(standby).exists()


@pytest.mark.parametrize(
    ("offset", "data", "code"),
    [
        (0, b"x", "upload-offset"),
        (5, b"x", "upload-offset"),
        (4, bytes(CHUNK_BYTES + 1), "upload-offset"),
        (4, bytes(100), "upload-too-large"),
    ],
)
def test_pieces_follow_one_another(carrying: TwoAgents, offset: int, data: bytes, code: str) -> None:
    begun = sent(carrying.b, b"four", size=50)
    with pytest.raises(Refused, match=code):
        carrying.b.ask(SendUpload(id=begun.id, offset=offset, data=data))
    assert folder(carrying.b).exists() == (code == "upload-offset")


def test_an_upload_that_is_not_complete_is_not_checked(carrying: TwoAgents) -> None:
    begun = sent(carrying.b, b"four", size=50)
    with pytest.raises(Refused, match="upload-incomplete"):
        carrying.b.ask(CheckUpload(id=begun.id))


@pytest.mark.parametrize("size", [-1, 1 << 50])
def test_a_size_beyond_the_quota_is_refused_at_once(carrying: TwoAgents, size: int) -> None:
    with pytest.raises(Refused, match="upload-too-large"):
        carrying.b.ask(BeginUpload(name="x", size=size))
    assert not folder(carrying.b).exists()


def test_of_an_unknown_size_the_quota_counts_while_it_streams(carrying: TwoAgents) -> None:
    carrying.b.agent.wiring.upload.free = lambda: RESERVE_BYTES + 10  # type: ignore[method-assign]
    begun = sent(carrying.b, b"ten bytes!", size=0)
    assert begun.quota_bytes == 10
    with pytest.raises(Refused, match="upload-too-large"):
        carrying.b.ask(SendUpload(id=begun.id, offset=10, data=b"x"))
    assert not folder(carrying.b).exists()


def test_on_the_active_there_is_nothing_to_import(carrying: TwoAgents) -> None:
    with pytest.raises(Refused, match="seed-on-the-active"):
        carrying.a.ask(BeginUpload(name="x", size=10))


def test_without_a_pair_nobody_could_have_made_it(carrying: TwoAgents) -> None:
    carrying.b.store.forget_pair()
    with pytest.raises(Refused, match="not-paired"):
        carrying.b.ask(BeginUpload(name="x", size=10))


def test_while_it_is_read_nobody_touches_it(carrying: TwoAgents) -> None:
    standby = carrying.b
    begun = sent(standby, b"x")
    current = standby.agent.uploads._current
    assert current is not None
    current.is_busy = True
    carrying.clock.advance(IDLE_SECONDS + 1)
    standby.agent.uploads.tick()
    for request in (
        SendUpload(id=begun.id, offset=1, data=b"x"),
        DropUpload(id=begun.id),
        BeginUpload(name="y", size=1),
    ):
        with pytest.raises(BeistandError, match="upload-in-use"):
            standby.ask(request)
    assert folder(standby).exists()


@pytest.mark.parametrize("kind", [JobKind.CHECK, JobKind.SEED, JobKind.LOCAL_BACKUP])
def test_a_takeover_does_not_wait_for_it(carrying: TwoAgents, kind: JobKind) -> None:
    def until_cancelled(progress: Progress) -> dict[str, str]:
        progress.cancelled.wait(20)
        progress.check()
        return {}

    standby = carrying.b
    reading = standby.agent.worker.start(kind, until_cancelled)
    carrying.a.off()
    carrying.clock.advance(60)
    plan = standby.ask(PlanTakeover())
    assert isinstance(plan, TakeoverPlanAnswer)
    accept = tuple(each.code for each in plan.findings)
    job = ended(standby, standby.ask(StartTakeover(digest=plan.digest, accept=accept, operator="test")))
    assert standby.agent.worker.watch(reading.id, 0, 0).state is JobState.CANCELLED
    assert (job.kind, job.state) == (JobKind.TAKEOVER, JobState.DONE)
