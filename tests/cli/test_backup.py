"""`backup`: made, shown, fetched whole or not at all; imported only after the generation was typed."""

import hashlib
import json
from pathlib import Path

import pytest

from beistand.domain.export import Part
from beistand.domain.job import JobKind, JobState
from beistand.domain.message import message
from beistand.protocol import (
    CHUNK_BYTES,
    Backup,
    BackupDetails,
    BackupList,
    BeginUpload,
    CheckUpload,
    Chunk,
    CreateBackup,
    DeleteBackup,
    Done,
    DropUpload,
    GetBackup,
    GetUpload,
    ImportUpload,
    ListBackups,
    ReadBackup,
    SendUpload,
    UploadView,
)
from cli.examples import Run, a_generation, a_job
from fakes.agent_server import FakeAgent

BODY = b"x" * 3000
GENERATION = a_generation()
BACKUP = Backup(
    id=GENERATION.id,
    generation=GENERATION,
    file_size=len(BODY),
    digest=hashlib.sha256(BODY).hexdigest(),
    is_encrypted=False,
    asked=True,
)
PARTS = (
    Part(path="/etc/asterisk", is_database=False, files=12, bytes=3400),
    Part(path="/db", is_database=True, files=1, bytes=99),
)
DETAILS = BackupDetails(backup=BACKUP, parts=PARTS, host="pbx-a")
BEGUN = UploadView(id="u1", size=len(BODY))
CHECKED = UploadView(id="u1", size=len(BODY), generation=GENERATION, parts=PARTS, host="pbx-a")
CHECK_DONE = a_job(JobKind.CHECK, state=JobState.DONE)
UPLOAD = {
    BeginUpload: BEGUN,
    SendUpload: Done(),
    CheckUpload: CHECK_DONE,
    GetUpload: CHECKED,
    DropUpload: Done(),
    ImportUpload: a_job(JobKind.SEED, state=JobState.DONE, result={"state": "imported"}),
}


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "x.beistand"
    path.write_bytes(bytes(CHUNK_BYTES) + BODY)
    return str(path)


def test_a_backup_is_made_and_named(run: Run) -> None:
    done = a_job(JobKind.LOCAL_BACKUP, state=JobState.DONE, result={"backup": BACKUP.id})
    with FakeAgent({CreateBackup: done, GetBackup: DETAILS}) as agent:
        result = run("backup", "create", "--passphrase-stdin", agent=agent, stdin="correct horse\n")
        assert agent.asked(CreateBackup) == [CreateBackup(passphrase="correct horse")]
    assert result.exit_code == 0
    assert BACKUP.id in result.stdout
    assert "horse" not in result.stdout


def test_backups_are_listed_shown_and_deleted(run: Run) -> None:
    found = BackupList(backups=(BACKUP,), free_bytes=1, next_backup="2026-03-02T03:00:00+01:00")
    with FakeAgent({ListBackups: found, GetBackup: DETAILS, DeleteBackup: found}) as agent:
        listed = run("backup", "list", agent=agent)
        shown = run("backup", "show", BACKUP.id, agent=agent)
        deleted = run("backup", "delete", BACKUP.id, "--json", agent=agent)
    assert listed.stdout.splitlines()[0].split("  ")[::3] == [BACKUP.id, "by hand"]
    assert "/etc/asterisk: 12 files, 3.4 kB" in shown.stdout
    assert json.loads(deleted.stdout)["backups"][0]["id"] == BACKUP.id


def test_a_backup_is_fetched_piece_by_piece(run: Run, tmp_path: Path) -> None:
    pieces = [Chunk(data=BODY[:1000], is_last=False), Chunk(data=BODY[1000:], is_last=True)]
    output = tmp_path / "out"
    with FakeAgent({GetBackup: DETAILS, ReadBackup: [*pieces]}) as agent:
        result = run("backup", "get", BACKUP.id, "-o", str(output), agent=agent)
        assert [each.offset for each in agent.asked(ReadBackup)] == [0, 1000]  # type: ignore[attr-defined]
    assert result.exit_code == 0
    assert output.read_bytes() == BODY
    assert output.stat().st_mode & 0o777 == 0o600


def test_what_is_not_what_was_saved_is_not_kept(run: Run, tmp_path: Path) -> None:
    with FakeAgent({GetBackup: DETAILS, ReadBackup: Chunk(data=b"rotten", is_last=True)}) as agent:
        result = run("backup", "get", BACKUP.id, "-o", str(tmp_path / "out"), agent=agent)
    assert result.exit_code == 1
    assert "SHA-256 differs" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_check_shows_and_leaves_nothing(run: Run, file: str) -> None:
    with FakeAgent(UPLOAD) as agent:
        result = run("backup", "check", file, agent=agent)
        sent = agent.asked(SendUpload)
        assert [(each.offset, len(each.data)) for each in sent] == [  # type: ignore[attr-defined]
            (0, CHUNK_BYTES),
            (CHUNK_BYTES, len(BODY)),
        ]
        assert agent.asked(DropUpload) == [DropUpload(id="u1")]
    assert result.exit_code == 0
    assert GENERATION.id in result.stdout
    assert "pbx-a" in result.stdout


@pytest.mark.parametrize("confirm", [(), ("--confirm", "20200101T000000Z-1")])
def test_without_the_right_generation_nothing_is_imported(
    run: Run, file: str, confirm: tuple[str, ...]
) -> None:
    with FakeAgent(UPLOAD) as agent:
        result = run("backup", "import", file, *confirm, agent=agent)
        assert agent.asked(ImportUpload) == []
        assert len(agent.asked(DropUpload)) == 1
    assert result.exit_code == 1
    assert f"--confirm {GENERATION.id}" in result.stderr


def test_with_the_generation_typed_it_is_imported(run: Run, file: str) -> None:
    with FakeAgent(UPLOAD) as agent:
        result = run("backup", "import", file, "--confirm", GENERATION.id, agent=agent)
        assert agent.asked(ImportUpload) == [ImportUpload(id="u1", generation=GENERATION.id)]
        assert agent.asked(DropUpload) == []
    assert result.exit_code == 0


def test_what_is_refused_is_dropped(run: Run, file: str) -> None:
    why = message("export-damaged", member="header.json", why="x")
    failed = a_job(JobKind.CHECK, state=JobState.FAILED, error=why)
    with FakeAgent({**UPLOAD, CheckUpload: failed}) as agent:
        result = run("backup", "import", file, "--confirm", GENERATION.id, agent=agent)
        assert len(agent.asked(DropUpload)) == 1
    assert result.exit_code == 1
    assert "damaged" in result.stderr
