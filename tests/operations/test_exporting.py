"""S14, S16: what was saved as a file is imported whole, exactly where it may be, or not at all."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from beistand.adapters.backup_folder import BackupFolder
from beistand.domain.errors import BadGeneration, Cancelled, Failed, NoSpace, Refused
from beistand.domain.export import surplus
from beistand.domain.generation import CopyState
from beistand.domain.manifest import decode
from beistand.domain.role import Role
from beistand.operations.exporting import LocalBackups, Order, make_backup
from beistand.operations.importing import live_base, live_generation, restore_points
from beistand.operations.leftovers import clear_leftovers
from beistand.operations.seeding import import_export
from fakes.active import make_active
from fakes.exporting import Active, Seeding, clear, exports
from fakes.progress import FakeProgress
from fakes.standby import File, Folder, Link, Rows, Sandbox, Trees, lay_out, sandbox, snapshot

TREES: Trees = {
    "etc": Folder(),
    "etc/sip.conf": File(b"good" * 1000),
    "etc/empty": File(b""),
    "etc/odd \udcff\n": File(b"odd", 0o600),
    "etc/link": Link("sip.conf"),
    "lib/pbx": Folder(0o750),
    "lib/pbx/voicemail": Folder(0o1770),
    "lib/pbx/voicemail/big": File(bytes(range(256)) * 5000),
    "lib/pbx/astdb.sqlite3": Rows(("one", "two")),
    "default": File(b"OPTIONS="),
}
HERE: Trees = {
    "etc": Folder(),
    "etc/package.conf": File(b"as the package left it"),
    "etc/host.key": File(b"mine", 0o600),
    "lib/pbx": Folder(),
    "lib/pbx/licences": Folder(0o700),
    "lib/pbx/licences/key": File(b"mine", 0o600),
}


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return sandbox(tmp_path)


@pytest.fixture
def active(box: Sandbox) -> Active:
    return Active(box)


@pytest.fixture
def standby(box: Sandbox) -> Seeding:
    return Seeding(box)


def own_things(seen: dict[str, object]) -> dict[str, object]:
    return {name: each for name, each in seen.items() if "licences" in name or "host.key" in name}


@pytest.mark.parametrize("passphrase", ["", "correct horse"])
def test_what_was_saved_is_what_is_imported(
    box: Sandbox, active: Active, standby: Seeding, passphrase: str
) -> None:
    path = active.saved(TREES, passphrase=passphrase)
    lay_out(box.live, HERE)
    mine = own_things(box.standing_trees())
    copy = standby.seed(path, passphrase)
    seen = box.standing_trees()
    assert {name: seen[name] for name in TREES} == box.expected(TREES)
    assert own_things(seen) == mine
    assert "etc/package.conf" not in seen
    assert copy.state is CopyState.IMPORTED
    assert live_generation(box.node) == copy.generation
    assert [each.id for each in restore_points(box.node)] == [copy.generation.id]
    assert box.store.copies()[0] == copy
    assert live_base(box.node) == copy.generation.manifest
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_the_next_cycle_sends_only_what_differs_from_the_seed(tmp_path: Path) -> None:
    active = make_active(tmp_path)
    active.write("recording", "long")
    local = LocalBackups(
        exports=exports("a", "b"), folder=BackupFolder(tmp_path / "backups"), host="pbx-a", version="0.1.0"
    )
    record = make_backup(active.node, local, Order(asked=True), FakeProgress())
    for number in range(3):
        active.write("scheduled", str(number))
        make_backup(active.node, local, Order(asked=False), FakeProgress())
    active.peer.live = record.header.generation.manifest
    lines = list(active.node.manifests.lines(active.peer.live))
    active.peer.entries = tuple(map(decode, lines))
    active.peer.contents = dict.fromkeys((each.path for each in active.peer.entries), b"seeded")
    active.write("later")
    active.cycle()
    assert active.travelled() == ["later", "scheduled"]
    kept = {path.stem for path in active.node.places.manifests.glob("*.jsonl")}
    assert len(kept) == 3


def test_a_check_changes_nothing_and_leaves_nothing(box: Sandbox, active: Active, standby: Seeding) -> None:
    path = active.saved(TREES)
    lay_out(box.live, HERE)
    live, state = box.standing_trees(), snapshot(box.state)
    header = standby.check(path)
    assert header.host == "pbx-a"
    assert header.generation.entries == len(TREES)
    names = {each.path.removeprefix(f"{box.live}/"): (each.files, each.is_database) for each in header.parts}
    assert names == {
        "default": (1, False),
        "etc": (3, False),
        "lib/pbx": (1, False),
        "lib/pbx/astdb.sqlite3": (1, True),
    }
    assert box.standing_trees() == live
    after = snapshot(box.state)
    assert {name for name in after if name not in state} <= {"undo", "manifests"}
    assert box.staging() == []


def test_a_wrong_passphrase_is_told(active: Active, standby: Seeding) -> None:
    path = active.saved(TREES, passphrase="correct horse")
    with pytest.raises(Refused, match="passphrase-missing"):
        standby.check(path)
    with pytest.raises(Refused, match="passphrase-wrong"):
        standby.check(path, "wrong")
    assert b"sip.conf" not in path.read_bytes()


def changed(active: Active, **fields: Any) -> None:
    """Let the active's next backups say something else."""
    node = active.node
    pair, stands = active.store.paired, active.store.stands
    assert pair is not None
    assert stands.grant is not None
    for name, value in fields.items():
        if name == "pair":
            active.store.paired = msgspec.structs.replace(pair, id=value) if value else None
        elif name == "version":
            object.__setattr__(node, "services", type(node.services)(answer=value))  # type: ignore[call-arg]
        elif name == "epoch":
            grant = msgspec.structs.replace(stands.grant, epoch=value)
            active.store.stands = msgspec.structs.replace(stands, grant=grant, own_epoch=value)
        elif name == "me":
            grant = msgspec.structs.replace(stands.grant, holder=value)
            active.store.stands = msgspec.structs.replace(stands, me=value, grant=grant)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"pair": "d" * 32}, "generation-other-pair"),
        ({"pair": ""}, "export-before-pairing"),
        ({"me": "e" * 16}, "not-our-peer"),
        ({"version": "Asterisk 20.0.0"}, "generation-version-differs"),
        ({"epoch": 3}, "generation-epoch-unknown"),
    ],
)
def test_another_pairs_or_versions_backup_is_refused(
    box: Sandbox, active: Active, standby: Seeding, fields: dict[str, Any], code: str
) -> None:
    """F7."""
    changed(active, **fields)
    path = active.saved(TREES)
    lay_out(box.live, HERE)
    before = box.standing_trees()
    with pytest.raises(Refused, match=code):
        standby.check(path)
    assert box.standing_trees() == before


def test_a_backup_from_before_the_last_takeover_is_refused(
    box: Sandbox, active: Active, standby: Seeding
) -> None:
    """F7: its data was served by nobody since."""
    path = active.saved(TREES)
    stands = box.store.stands
    assert stands.grant is not None
    box.store.stands = msgspec.structs.replace(stands, grant=msgspec.structs.replace(stands.grant, epoch=3))
    with pytest.raises(Refused, match="generation-superseded"):
        standby.check(path)


def test_an_older_or_the_same_backup_is_refused(box: Sandbox, active: Active, standby: Seeding) -> None:
    """F7: an older state is a restore point of a takeover, not an import; order is by lineage."""
    old = active.saved(TREES)
    new = active.saved({**TREES, "etc/sip.conf": File(b"newer")})
    copy = standby.seed(new)
    for path in (old, new):
        with pytest.raises(Refused, match="generation-not-newer"):
            standby.check(path)
    assert live_generation(box.node) == copy.generation


def test_only_the_peers_signature_is_believed(box: Sandbox, active: Active) -> None:
    path = active.saved(TREES)
    with pytest.raises(BadGeneration, match="export-signature-wrong"):
        Seeding(box, peer="a stranger's").check(path)


def test_only_what_was_shown_is_imported(box: Sandbox, active: Active, standby: Seeding) -> None:
    one = active.saved(TREES)
    header = standby.check(one)
    other = active.saved({**TREES, "etc/sip.conf": File(b"newer")})
    with pytest.raises(Refused, match="upload-changed"):
        import_export(box.node, standby.exports, other, "", header, FakeProgress())
    assert live_generation(box.node) is None


def test_an_export_of_the_standby_holds_what_is_imported(
    box: Sandbox, active: Active, standby: Seeding
) -> None:
    copy = standby.seed(active.saved(TREES))
    local = LocalBackups(
        exports=standby.exports, folder=BackupFolder(box.root / "backups"), host="pbx-b", version="0.1.0"
    )
    ids = [make_backup(box.node, local, Order(asked=True), FakeProgress()).id for _ in range(2)]
    assert ids == [copy.generation.id, f"{copy.generation.id}.2"]
    record = local.folder.records()[0]
    assert record.header.generation == copy.generation
    (box.live / "etc/sip.conf").write_text("changed by hand")
    with pytest.raises(Failed, match="live-drifted"):
        make_backup(box.node, local, Order(asked=True), FakeProgress())
    assert len(local.folder.records()) == 2


def test_a_standby_without_data_has_nothing_to_save(box: Sandbox, active: Active) -> None:
    node = active.node
    active.store.stands = box.store.stands
    assert node.store.standing().role is Role.STANDBY
    with pytest.raises(Refused, match="nothing-imported"):
        active.save()


class Meddling(FakeProgress):
    """Rewrites files while they are saved, so many times."""

    def __init__(self, path: Path, times: int, *, append: bool = False) -> None:
        super().__init__()
        self.path, self.times, self.append, self.is_packing = path, times, append, False

    def stage(self, code: str) -> None:
        super().stage(code)
        if code == "pack" and self.times:
            self.times -= 1
            with self.path.open("ab" if self.append else "wb") as file:
                file.write(b"%d" % self.times)


def test_a_file_rewritten_meanwhile_is_saved_as_it_is_then(
    box: Sandbox, active: Active, standby: Seeding
) -> None:
    lay_out(box.live, TREES)
    record = active.save(job=Meddling(box.live / "etc/sip.conf", 1))
    assert record.header.generation.growing == ()
    clear(box)
    standby.seed(active.path(record))
    assert (box.live / "etc/sip.conf").read_bytes() == b"0"


def test_a_recording_that_goes_on_is_saved_up_to_where_it_was(
    box: Sandbox, active: Active, standby: Seeding
) -> None:
    lay_out(box.live, TREES)
    job = Meddling(box.live / "etc/sip.conf", 100, append=True)
    record = active.save(job=job)
    assert job.times == 99
    clear(box)
    standby.seed(active.path(record))
    assert (box.live / "etc/sip.conf").read_bytes() == b"good" * 1000


def test_a_file_that_never_settles_is_left_and_told(box: Sandbox, active: Active, standby: Seeding) -> None:
    lay_out(box.live, TREES)
    record = active.save(job=Meddling(box.live / "etc/sip.conf", 100))
    assert record.header.generation.growing == (f"{box.live}/etc/sip.conf",)
    clear(box)
    standby.seed(active.path(record))
    assert not (box.live / "etc/sip.conf").exists()
    assert (box.live / "default").exists()


def test_there_must_be_room_before_anything_is_written(box: Sandbox, active: Active) -> None:
    lay_out(box.live, TREES)
    active.local.folder.free = lambda: 1000  # type: ignore[method-assign]
    with pytest.raises(NoSpace, match="backup-no-space"):
        active.save()
    assert list(active.local.folder.folder.glob("*")) == []


def test_cancelled_anywhere_nothing_stays(box: Sandbox, active: Active) -> None:
    lay_out(box.live, TREES)
    job = FakeProgress()
    active.save(job=job)
    folder = active.local.folder.folder
    whole = {path.name for path in folder.iterdir()}
    for at in range(1, job.checks + 1, 3):
        with pytest.raises(Cancelled):
            active.save(job=FakeProgress(cancel_at=at))
        assert {path.name for path in folder.iterdir()} == whole


def test_retention_counts_scheduled_backups_only(box: Sandbox, active: Active) -> None:
    lay_out(box.live, TREES)
    asked = active.save().id
    keep = active.store.config().keep_backups
    scheduled = [active.save(asked=False).id for _ in range(keep + 2)]
    left = [each.id for each in active.local.folder.records()]
    assert left == [*reversed(scheduled[2:]), asked]


def test_retention_never_counts_what_was_kept_for_a_person(box: Sandbox, active: Active) -> None:
    """I10: the loser's data stays until somebody lets it go."""
    lay_out(box.live, TREES)
    kept = active.save(asked=False)
    record = msgspec.structs.replace(kept, superseded_by=2)
    assert surplus((record, kept), 0) == (kept.id,)


def test_odd_things_in_the_folder_break_nothing(box: Sandbox, active: Active) -> None:
    lay_out(box.live, TREES)
    record = active.save()
    folder = active.local.folder.folder
    (folder / "holiday.beistand").write_bytes(b"x")
    (folder / "20260101T000000Z-1.json").write_text("{}")
    (folder / "20260101T000000Z-2.json").mkdir()
    (folder / "20260101T000000Z-3.beistand").write_bytes(b"no record")
    (folder / "notes.json").write_text("mine")
    cut = active.save()
    with active.path(cut).open("r+b") as file:
        file.truncate(1000)
    lying = json.loads((folder / f"{record.id}.json").read_text())
    (folder / "20260101T000000Z-4.json").write_text(json.dumps(lying))
    (folder / "20260101T000000Z-4.beistand").write_bytes(active.path(record).read_bytes())
    assert [each.id for each in active.local.folder.records()] == [record.id]


def test_what_a_kill_left_is_swept(box: Sandbox, active: Active) -> None:
    lay_out(box.live, TREES)
    record = active.save()
    folder = active.local.folder.folder
    (folder / ".draft-abc").write_bytes(b"half")
    (folder / "20260101T000000Z-1.json").write_text("{}")
    (folder / "holiday.beistand").write_bytes(b"x")
    active.local.folder.sweep()
    names = {path.name for path in folder.iterdir()}
    assert names == {f"{record.id}.json", f"{record.id}.beistand", "holiday.beistand"}


def test_a_former_active_saves_what_it_served(box: Sandbox, active: Active) -> None:
    lay_out(box.live, TREES)
    stands = active.store.stands
    assert stands.grant is not None
    grant = msgspec.structs.replace(stands.grant, epoch=2, holder="a" * 16)
    active.store.stands = msgspec.structs.replace(stands, grant=grant)
    assert active.store.standing().role is Role.SUPERSEDED
    assert active.save().header.generation.epoch == 1


def test_cancelled_in_the_middle_of_the_import_the_old_data_stands(
    box: Sandbox, active: Active, standby: Seeding
) -> None:
    path = active.saved(TREES)
    lay_out(box.live, HERE)
    before, job = box.standing_trees(), FakeProgress()
    for at in range(1, 400, 7):
        job = FakeProgress(cancel_at=at)
        try:
            standby.seed(path, job=job)
        except Cancelled:
            assert box.standing_trees() == before
            clear_leftovers(box.node, FakeProgress())
            assert box.staging() == []
        else:
            break
    assert box.standing_trees() != before
