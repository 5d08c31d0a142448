"""F2, F3: a disk that fills up or fails is told before something needs it."""

import pytest

from beistand.domain.finding import Severity
from beistand.domain.room import FileSystem, room_finding

MIB, GIB = 1 << 20, 1 << 30


@pytest.mark.parametrize(
    ("size", "free", "is_read_only", "told"),
    [
        (20 * GIB, 10 * GIB, False, None),
        (20 * GIB, 300 * MIB, False, None),
        (20 * GIB, 200 * MIB, False, ("disk-little-room", Severity.WARN)),
        (256 * MIB, 200 * MIB, False, None),
        (256 * MIB, 12 * MIB, False, ("disk-little-room", Severity.WARN)),
        (20 * GIB, 3 * MIB, False, ("disk-no-room", Severity.BLOCK)),
        (20 * GIB, 0, False, ("disk-no-room", Severity.BLOCK)),
        (20 * GIB, 0, True, ("disk-read-only", Severity.BLOCK)),
        (20 * GIB, 10 * GIB, True, ("disk-read-only", Severity.BLOCK)),
    ],
)
def test_a_full_or_failed_disk_is_a_finding(
    size: int, free: int, is_read_only: bool, told: tuple[str, Severity] | None
) -> None:
    found = room_finding(FileSystem(mount="/srv", size=size, free=free, is_read_only=is_read_only))
    assert (found and (found.code, found.severity)) == told
    assert found is None or found.fields["mount"] == "/srv"
