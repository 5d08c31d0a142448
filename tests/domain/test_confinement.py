"""What a PBX's unit may touch: the folders of its profile, and nothing that root runs (D6)."""

from pathlib import Path

import msgspec
import pytest

from beistand.adapters.profiles import Profiles
from beistand.domain.boundary import Boundary
from beistand.domain.confinement import confinement
from beistand.domain.profile import Database, Engine, Service, Tree
from fakes.pair_of_appliances import PROFILE

SHIPPED = Profiles(Path("/nowhere")).load("asterisk")
UNIT = SHIPPED.services[0]


def writable(lines: tuple[str, ...]) -> list[str]:
    return [each.removeprefix("ReadWritePaths=") for each in lines if each.startswith("ReadWritePaths=")]


def test_a_pbx_writes_to_the_folders_of_its_profile_only() -> None:
    lines = confinement(SHIPPED, UNIT)
    assert {"ProtectSystem=strict", "ReadOnlyPaths=/run"} <= {*lines}
    assert "NoNewPrivileges=yes" in lines
    assert '"-/var/lib/asterisk"' in writable(lines)
    assert '"-/etc/asterisk"' in writable(lines)
    never = ("/", "/etc", "/usr", "/run", "/home", "/root", "/boot", "/var", "/var/lib", "/opt", "/usr/share")
    assert not {f'"-{each}"' for each in never} & {*writable(lines)}


def test_each_profile_says_by_its_trees_and_databases_what_is_writable() -> None:
    service = Service(unit="pbx.service", writes=("/var/log/pbx", "/data/pbx/deep"))
    database = Database(engine=Engine.SQLITE, name="/var/lib/pbx/calls.db")
    server = Database(engine=Engine.MARIADB, name="asterisk")
    profile = msgspec.structs.replace(
        PROFILE, trees=(Tree(path="/data/pbx"),), databases=(database, server), services=(service,)
    )
    assert writable(confinement(profile, service)) == ['"-/data/pbx"', '"-/var/lib/pbx"', '"-/var/log/pbx"']


def test_a_unit_of_which_nobody_said_what_it_writes_is_left_alone() -> None:
    """A database server in a profile of one's own must not lose its data folder."""
    assert confinement(SHIPPED, Service(unit="mariadb.service")) == ()


def test_a_mailer_with_rights_of_its_own_is_named_and_can_be_run() -> None:
    lines = confinement(SHIPPED, UNIT, "/usr/sbin/postdrop")
    assert "NoNewPrivileges=yes" not in lines
    assert any("/usr/sbin/postdrop" in each for each in lines)
    assert "ProtectSystem=strict" in lines


@pytest.mark.parametrize("path", ["/a b", '/a"b', "/a%b", "/a\\b"])
def test_odd_paths_stay_one_path_of_systemd(path: str) -> None:
    service = Service(unit="pbx.service", writes=(path,))
    (found,) = writable(confinement(PROFILE, service))
    assert found == '"-' + path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


@pytest.mark.parametrize("path", ["/a\nExecStartPre=/bin/sh", "/a\rb", "/a\x1bb"])
def test_no_path_becomes_a_directive_of_its_own(path: str) -> None:
    service = Service(unit="pbx.service", writes=("/ok", path))
    lines = confinement(PROFILE, service, set_id="/x\nUser=root")
    assert writable(lines) == ['"-/ok"']
    assert all(each.isprintable() for each in lines)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/asterisk/asterisk.conf",
        "/etc/asterisk/startup.d/x.sh",
        "/etc/default/asterisk",
        "/etc/init.d/asterisk",
        "/usr/sbin/safe_asterisk",
        "/usr/lib/asterisk/modules/x.so",
        "/etc/systemd/system/asterisk.service.d/x.conf",
        "/etc/cron.d/asterisk",
        "/etc/logrotate.d/asterisk",
    ],
)
def test_nothing_that_root_reads_or_runs_at_a_start_travels(path: str) -> None:
    assert not SHIPPED.may_write(path)
    assert not Boundary(SHIPPED).may_write(path)
    assert SHIPPED.may_write("/etc/asterisk/pjsip.conf")
