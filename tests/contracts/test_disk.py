"""The real disk adapter, where the operations' tests do not reach."""

import os
from pathlib import Path

import pytest

from beistand.adapters.disk import LocalDisk
from beistand.adapters.folders import Folders, mount_points, trusted_folders
from beistand.domain.boundary import Boundary
from beistand.domain.errors import Failed
from beistand.domain.imports import Slot, SlotSide
from fakes.standby import File, Folder, Link, lay_out, sandbox


def test_mount_points_come_longest_first_with_their_real_names(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_bytes(
        b"22 1 0:20 / / rw - ext4 /dev/vda rw\n"
        b"23 22 0:21 / /var/sp\\040ool rw - tmpfs none rw\n"
        b"24 22 0:22 / /srv/\xc3\xa4 rw - tmpfs none rw\n"
    )
    assert mount_points(table) == ("/var/sp ool", "/srv/ä", "/")


def test_a_path_lies_on_the_file_system_that_is_mounted_nearest(tmp_path: Path) -> None:
    disk = LocalDisk(("/",), mounts=("/var/spool/pbx", "/var", "/"))
    assert disk.mount_of("/var/spool/pbx/x") == "/var/spool/pbx"
    assert disk.mount_of("/var/spool/pbx") == "/var"
    assert disk.mount_of("/var/spool/pbxes/x") == "/var"
    assert disk.mount_of("/etc/x") == "/"


def test_links_above_a_tree_are_followed_and_links_in_it_are_not(tmp_path: Path) -> None:
    lay_out(tmp_path, {"real/tree/sub/file": File(b"x"), "real/tree/bad": Link("sub"), "alias": Link("real")})
    disk = LocalDisk((str(tmp_path / "alias"),), mounts=(str(tmp_path / "real"), "/"))
    tree = f"{tmp_path}/alias/tree"
    assert disk.look(f"{tree}/sub/file") is not None
    assert disk.look(f"{tree}/bad/file") is None
    assert disk.mount_of(f"{tree}/x") == str(tmp_path / "real")
    with pytest.raises(NotADirectoryError):
        disk.make_folder(f"{tree}/bad/new")
    with pytest.raises(NotADirectoryError):
        disk.open_live(f"{tree}/bad/file")


def test_a_walk_comes_in_the_order_of_a_manifest(tmp_path: Path) -> None:
    names = ["a", "a/b", "a.b", "a-", "a0", "a/b/c", "ab", "b\udcff", "a b"]
    things = {name: Folder() if name in ("a", "a/b") else File(b"") for name in names}
    lay_out(tmp_path / "tree", things)
    os.mkfifo(tmp_path / "tree" / "fifo")
    disk = LocalDisk((str(tmp_path),))
    paths = [path for path, _ in disk.walk(f"{tmp_path}/tree", lambda path: path.endswith("/ab"))]
    assert paths == sorted(paths)
    assert len(paths) == len(names)  # the tree itself is in, `ab` is kept out, the FIFO is nothing


def test_trusted_folders_lie_in_no_tree(tmp_path: Path) -> None:
    box = sandbox(tmp_path)
    assert trusted_folders(box.profile) == (str(box.live), str(box.live / "lib"))
    assert Boundary(box.profile).roots == {f"{box.live}/{each}" for each in ("etc", "lib/pbx", "default")}


def test_descriptors_are_closed_again(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / str(number)).mkdir()
    before = len(os.listdir("/proc/self/fd"))
    folders = Folders((str(tmp_path),))
    for number in range(40):
        with folders.opened(f"{tmp_path}/{number}"):
            pass
    assert len(os.listdir("/proc/self/fd")) <= before + 16
    del folders
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("how", ["absolute", "relative", "chain"])
def test_a_link_of_an_administrator_leads_to_the_folder(tmp_path: Path, how: str) -> None:
    (tmp_path / "data/etc").mkdir(parents=True)
    (tmp_path / "holder").symlink_to(
        {"absolute": tmp_path / "data", "relative": "data", "chain": "second"}[how]
    )
    (tmp_path / "second").symlink_to("holder/../data" if how != "chain" else "./data")
    folders = Folders((f"{tmp_path}/holder",))
    assert folders.status(f"{tmp_path}/holder/etc").st_ino == (tmp_path / "data/etc").stat().st_ino


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_link_that_others_may_have_made_leads_nowhere(tmp_path: Path, mode: int) -> None:
    open_to_all = tmp_path / "pbx"
    open_to_all.mkdir()
    (tmp_path / "secret/etc").mkdir(parents=True)
    (open_to_all / "holder").symlink_to(tmp_path / "secret")
    open_to_all.chmod(mode)
    folders = Folders((f"{open_to_all}/holder",))
    with pytest.raises(NotADirectoryError):
        folders.status(f"{open_to_all}/holder/etc")


def test_links_without_end_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(NotADirectoryError):
        Folders((f"{tmp_path}/a",)).status(f"{tmp_path}/a/x")
    assert len(os.listdir("/proc/self/fd")) == before


def test_staging_that_somebody_exchanged_is_not_used(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs two accounts")
    disk = LocalDisk((str(tmp_path),), mounts=(str(tmp_path),))
    disk.prepare(str(tmp_path), "u")
    slot = Slot(mount=str(tmp_path), undo="u", side=SlotSide.NEW, number=1)
    (tmp_path / ".beistand").rename(tmp_path / "away")
    (tmp_path / ".beistand/u/new").mkdir(parents=True)
    (tmp_path / ".beistand/u/new/1").write_text("somebody else's")
    os.chown(tmp_path / ".beistand/u/new", 12345, 12345)
    disk.settle(())
    with pytest.raises(Failed, match="staging-not-ours"):
        disk.place(slot, f"{tmp_path}/live")
    assert not (tmp_path / "live").exists()


@pytest.mark.parametrize("name", ["no-such-account", "-1", "4294967295", "", "a\0b"])
def test_owners_that_are_not_known_here_are_refused(name: str) -> None:
    with pytest.raises(Failed, match="owner-unknown"):
        LocalDisk(()).owner(name, "root")


def test_an_owner_without_a_name_is_its_number() -> None:
    assert LocalDisk(()).owner("1234567", "root") == (1234567, 0)
