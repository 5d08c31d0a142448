"""B4: what is not carried over, from a listing."""

import pytest

from beistand.domain.coverage import MOST_GROUPS, Coverage, Found, Group, server_groups, unintended
from beistand.domain.profile import Database, Detect, Engine, Profile, Service, Tree

PROFILE = Profile(
    schema=1,
    name="pbx",
    title="PBX",
    detect=Detect(files=("/usr/sbin/pbx",), version_command=("pbx",)),
    services=(Service(unit="pbx.service"),),
    trees=(
        Tree(path="/etc/pbx", exclude=("*.sample", "/etc/pbx/cache")),
        Tree(path="/var/lib/pbx/sounds"),
        Tree(path="/var/log/pbx/records"),
    ),
    databases=(Database(engine=Engine.SQLITE, name="/var/lib/pbx/state.db"),),
    watch=("/etc/pbx", "/var/lib/pbx", "/var/log/pbx"),
    leave=("/var/log/pbx",),
    identity=("/etc/pbx/licenses",),
)


@pytest.mark.parametrize(
    ("path", "is_sqlite", "why"),
    [
        ("/etc/pbx/pbx.conf", False, ""),
        ("/etc/pbx/pbx.conf.sample", False, "excluded"),
        ("/etc/pbx/cache/a/b", False, "excluded"),
        ("/etc/pbx/licenses/key", False, "identity"),
        ("/etc/pbx/users.db", True, "undeclared-database"),
        ("/etc/pbx/cache/own.db", True, "excluded"),
        ("/var/lib/pbx/sounds/hello.wav", False, ""),
        ("/var/lib/pbx/own/script.py", False, "no-tree"),
        ("/var/lib/pbx/own/data.db", True, "undeclared-database"),
        ("/var/lib/pbx/state.db", True, ""),
        ("/var/lib/pbx/state.db-wal", False, ""),
        ("/var/log/pbx/full.1", False, "excluded"),
        ("/var/log/pbx/records/master.csv", False, ""),
        ("/var/log/pbx/cdr.db", True, "undeclared-database"),
    ],
)
def test_why_a_file_stays_behind(path: str, *, is_sqlite: bool, why: str) -> None:
    assert Coverage(PROFILE).why(Found(path=path, size=1, is_sqlite=is_sqlite)) == why


def groups(*paths: str) -> list[tuple[str, int, int, str]]:
    sum_ = Coverage(PROFILE)
    for path in paths:
        sum_.take(Found(path=path, size=10, is_sqlite=path.endswith(".db")))
    return [(each.path, each.files, each.bytes, each.why) for each in sum_.groups()]


def test_files_are_summed_up_below_the_highest_folder_that_stays_behind() -> None:
    assert groups(
        "/var/lib/pbx/own/a",
        "/var/lib/pbx/own/deep/b",
        "/var/lib/pbx/loose",
        "/etc/pbx/cache/a/1",
        "/etc/pbx/cache/b/2",
        "/etc/pbx/a.sample",
        "/etc/pbx/licenses/x/1",
        "/var/lib/pbx/own/c.db",
    ) == [
        ("/var/lib/pbx/*", 1, 10, "no-tree"),
        ("/var/lib/pbx/own", 2, 20, "no-tree"),
        ("/var/lib/pbx/own/c.db", 1, 10, "undeclared-database"),
        ("/etc/pbx/*", 1, 10, "excluded"),
        ("/etc/pbx/cache", 2, 20, "excluded"),
        ("/etc/pbx/licenses", 1, 10, "identity"),
    ]


def test_a_million_odd_folders_stay_a_short_list() -> None:
    sum_ = Coverage(PROFILE)
    for number in range(MOST_GROUPS + 50):
        sum_.take(Found(path=f"/var/lib/pbx/own{number}/x", size=1))
    assert len(sum_.groups()) == MOST_GROUPS + 1
    assert sum(each.files for each in sum_.groups()) == MOST_GROUPS + 50


def test_a_database_server_that_the_profile_does_not_name_is_told() -> None:
    here = ((Engine.MARIADB, "/run/mysqld/mysqld.sock"),)
    assert [each.path for each in server_groups(PROFILE, here)] == ["/run/mysqld/mysqld.sock"]
    assert server_groups(PROFILE, ((Engine.SQLITE, "/x"),)) == ()


def test_only_what_nobody_decided_is_a_finding() -> None:
    found = (
        Group(path="/a", files=3, bytes=30, why="no-tree"),
        Group(path="/b", files=9, bytes=90, why="excluded"),
        Group(path="/run/mysqld/mysqld.sock", files=0, bytes=0, why="undeclared-database"),
    )
    assert unintended(found) == (4, 30)
