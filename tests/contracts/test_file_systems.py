"""The contract of the port FileSystems, on file systems that were mounted for it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from beistand.adapters.file_systems import LocalFileSystems

LOCAL = LocalFileSystems()


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_each_file_system_is_told_once_by_its_mount(mounted: Path) -> None:
    (mounted / "here").mkdir()
    found = LOCAL.look([mounted / "here", mounted / "not" / "made" / "yet", mounted])
    assert [(each.mount, each.size, each.free, each.is_read_only) for each in found] == [
        (str(mounted), 1 << 20, 1 << 20, False)
    ]


def test_a_full_one_has_nothing_free(mounted: Path) -> None:
    with pytest.raises(OSError, match="No space"):
        (mounted / "big").write_bytes(bytes(2 << 20))
    assert [each.free for each in LOCAL.look([mounted])] == [0]


def test_one_that_was_mounted_anew_read_only_is_told(mounted: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
    assert [each.is_read_only for each in LOCAL.look([mounted])] == [True]


def test_a_folder_of_another_file_system_is_told_beside(mounted: Path, tmp_path: Path) -> None:
    assert len(LOCAL.look([mounted, tmp_path])) == 2


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[Path]:
    """An ext4 on which the kernel met an error: it writes no more, whoever has files open."""
    image, folder = tmp_path / "disk", tmp_path / "failing"
    if os.geteuid() != 0:
        pytest.skip("mounting a disk needs root")
    folder.mkdir()
    image.write_bytes(bytes(4 << 20))
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    options = "loop,errors=remount-ro"
    if subprocess.run(["mount", "-o", options, image, folder], check=False, capture_output=True).returncode:
        pytest.skip("this machine has no loop devices")
    (folder / "before").write_bytes(b"")
    device = Path("/sys/dev/block", f"{os.major(folder.stat().st_dev)}:{os.minor(folder.stat().st_dev)}")
    Path("/sys/fs/ext4", device.resolve().name, "trigger_fs_error").write_text("1")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_one_on_which_the_kernel_met_an_error_is_told(failing: Path) -> None:
    """F3."""
    with pytest.raises(OSError, match="Read-only"):
        (failing / "after").write_bytes(b"")
    assert [each.is_read_only for each in LOCAL.look([failing])] == [True]
