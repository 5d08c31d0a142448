"""Beistand's own folders at the roots of file systems: found by the kernel's table, removed whole."""

import os
from pathlib import Path

import pytest

from beistand.adapters.staging_folders import StagingFolders

LINE = "36 35 98:0 / {} rw,noatime master:1 - {} /dev/sda1 rw\n"


@pytest.fixture
def disks(tmp_path: Path) -> Path:
    for name in ("root", "spool", "with space", "far", "theirs", "open"):
        (tmp_path / name / ".beistand" / "20261201T000000Z-1" / "old").mkdir(parents=True)
        (tmp_path / name / ".beistand").chmod(0o700)
        (tmp_path / name / ".beistand" / "20261201T000000Z-1" / "old" / "1").write_bytes(b"x" * 100)
    (tmp_path / "open" / ".beistand").chmod(0o755)
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / ".beistand").symlink_to(tmp_path / "theirs")
    return tmp_path


def table(disks: Path, **mounts: str) -> StagingFolders:
    lines = [
        LINE.format(str(disks / name.replace("_", " ")).replace(" ", "\\040"), kind)
        for name, kind in mounts.items()
    ]
    (disks / "mountinfo").write_text("".join(lines))
    return StagingFolders(disks / "mountinfo")


def test_they_are_found_where_file_systems_are_mounted(disks: Path) -> None:
    found = table(disks, root="ext4", spool="xfs", with_space="btrfs", nothing="ext4").found()
    assert found == tuple(sorted(f"{disks / name}/.beistand" for name in ("root", "spool", "with space")))


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "fuse.sshfs", "autofs"])
def test_file_systems_of_other_machines_are_not_even_looked_at(disks: Path, kind: str) -> None:
    assert table(disks, far=kind).found() == ()


def test_a_folder_that_is_not_closed_to_others_is_somebody_elses(disks: Path) -> None:
    assert table(disks, open="ext4").found() == ()


def test_a_link_is_not_followed(disks: Path) -> None:
    assert table(disks, linked="ext4").found() == ()


def test_it_is_measured_and_removed_whole(disks: Path) -> None:
    folders = table(disks, root="ext4")
    (path,) = folders.found()
    assert folders.size(path) == 100
    os.symlink(disks / "spool", Path(path) / "out")
    folders.remove(path)
    folders.remove(path)
    assert not Path(path).exists()
    assert (disks / "spool" / ".beistand").exists()
    assert folders.found() == ()
