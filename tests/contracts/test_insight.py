"""What is read from files of the telephone system and of the machine, for people: lines, time servers, folders."""

import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

import beistand
from beistand.adapters.lines import ConfiguredLines
from beistand.adapters.profiles import Profiles
from beistand.adapters.time_servers import TimeServerFiles
from beistand.adapters.watched_folders import LocalFolders
from beistand.domain.profile import Engine, Lines, Profile
from fakes.pair_of_appliances import PROFILE

ASTERISK = Path(beistand.__file__).parent / "profiles" / "asterisk.toml"

PJSIP = """\
; [commented] type=registration
[trunk-template](!)
type = registration
server_uri = sip:sip.example.org

[provider](trunk-template)
client_uri=sip:4930@sip.example.org ; who we are

[other]
type=registration
server_uri=sip:other.example.net\\;transport=tls

[carrier]
type=identify
match=198.51.100.7
endpoint=carrier

[101]
type=endpoint
"""
SIP = """\
[general]
register => 4930:secret@sip.example.org/4930
register => 4931:pass:auth@sip.example.org
[peer]
type=friend
"""


def lines_of(folder: Path, **files: str) -> tuple[str, ...]:
    for name, text in files.items():
        (folder / f"{name}.conf").write_text(text)
    profile = msgspec.structs.replace(PROFILE, lines=Lines(files=(str(folder / "*.conf"),)))
    return ConfiguredLines().list(profile)


def test_registrations_and_trunks_are_named(tmp_path: Path) -> None:
    assert lines_of(tmp_path, pjsip=PJSIP) == (
        "provider (sip:sip.example.org)",
        "other (sip:other.example.net\\;transport=tls)",
        "carrier (198.51.100.7)",
    )


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    found = lines_of(tmp_path, sip=SIP)
    assert found == ("4930@sip.example.org/4930", "4931@sip.example.org")


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        ("sip:u:secret@host", "sip:u@host"),
        ("sip:u:sec@ret@host:5060", "sip:u@host:5060"),
        ("sip:u@host:5060", "sip:u@host:5060"),
        ("sip:host:5060", "sip:host:5060"),
        ("sips:u:secret@host\\;transport=tls", "sips:u@host\\;transport=tls"),
    ],
)
def test_a_password_in_a_uri_is_never_shown(tmp_path: Path, where: str, shown: str) -> None:
    text = f"[line]\ntype=registration\nclient_uri={where}\n"
    assert lines_of(tmp_path, pjsip=text) == (f"line ({shown})",)


@pytest.mark.parametrize(
    "line",
    [
        "u:sec@ret@host/1",
        "u:secret:more@host",
        "u:secret",
        "u:" + "x" * 9000 + "@host",
        "udp://u:secret@host",
    ],
)
def test_no_part_of_a_password_is_shown(tmp_path: Path, line: str) -> None:
    found = lines_of(tmp_path, sip=f"[general]\nregister => {line}\n")
    assert not any(part in each for each in found for part in ("sec", "ret", "more", "xx"))


@pytest.mark.parametrize("text", ["", "[", "]\n[a]\n=", "\0\1\2", "[a]\ntype"])
def test_odd_files_have_no_lines(tmp_path: Path, text: str) -> None:
    assert lines_of(tmp_path, odd=text) == ()


def test_a_profile_without_lines_has_none() -> None:
    assert ConfiguredLines().list(PROFILE) == ()


def test_the_shipped_profile_names_its_files() -> None:
    profile = msgspec.toml.decode(ASTERISK.read_bytes(), type=Profile)
    assert profile.lines is not None
    assert all(each.startswith("/etc/asterisk/") for each in profile.lines.files)
    assert {each.path for each in profile.trees if each.path in profile.watch} == {
        "/etc/asterisk",
        "/var/lib/asterisk",
        "/var/spool/asterisk",
        "/usr/local/share/asterisk",
    }


@pytest.mark.parametrize(
    ("files", "servers"),
    [
        ({}, ()),
        (
            {"etc/systemd/timesyncd.conf": "[Time]\n#NTP=no.example.org\nNTP=a.example.org b.example.org\n"},
            ("a.example.org", "b.example.org"),
        ),
        (
            {
                "etc/systemd/timesyncd.conf": "[Time]\nNTP=a.example.org\n",
                "etc/systemd/timesyncd.conf.d/10-own.conf": "[Time]\nNTP=\nNTP=c.example.org\n",
            },
            ("c.example.org",),
        ),
        (
            {
                "etc/chrony/chrony.conf": "# server no\npool 2.debian.pool.ntp.org iburst\nserver 192.0.2.250\n",
                "etc/systemd/timesyncd.conf": "NTP=a.example.org\n",
            },
            ("2.debian.pool.ntp.org", "192.0.2.250"),
        ),
        ({"etc/ntpsec/ntp.conf": "server 192.0.2.250\nserver 192.0.2.250\n"}, ("192.0.2.250",)),
    ],
)
def test_time_servers_are_read_from_whatever_keeps_the_time(
    tmp_path: Path, files: dict[str, str], servers: tuple[str, ...]
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert TimeServerFiles(tmp_path).list() == servers


def test_folders_are_listed_without_what_packages_brought(tmp_path: Path) -> None:
    pbx, packages = tmp_path / "pbx", tmp_path / "info"
    (pbx / "deep").mkdir(parents=True)
    packages.mkdir()
    (pbx / "shipped.conf").write_text("of a package")
    (pbx / "deep" / "own.conf").write_text("own")
    (pbx / "link").symlink_to("/etc")
    os.mkfifo(pbx / "pipe")
    with closing(sqlite3.connect(pbx / "own.bin")) as db, db:
        db.execute("CREATE TABLE one (x)")
    (pbx / "like.db").write_bytes(b"\0" * 512)
    (packages / "pbx.list").write_text(f"/.\n{pbx}\n{pbx}/shipped.conf\n")
    folders = LocalFolders(packages=packages, sockets=tmp_path / "none")
    found = {each.path: (each.size, each.is_sqlite) for each in folders.files((str(pbx), f"{pbx}/deep"))}
    assert found == {
        f"{pbx}/deep/own.conf": (3, False),
        f"{pbx}/like.db": (512, False),
        f"{pbx}/own.bin": ((pbx / "own.bin").stat().st_size, True),
    }
    assert list(folders.files((str(tmp_path / "missing"),))) == []
    assert folders.servers() == ()


def test_database_servers_are_seen_by_their_sockets(tmp_path: Path) -> None:
    path = tmp_path / "mysqld.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        assert (Engine.MARIADB, str(path)) in LocalFolders().servers()


def test_profiles_that_fit_this_machine_come_first(tmp_path: Path) -> None:
    text = ASTERISK.read_text()
    (tmp_path / "aaa.toml").write_text("not a profile")
    here = text.replace('name = "asterisk"', 'name = "zzz"', 1).replace("/usr/sbin/asterisk", "/etc/passwd")
    (tmp_path / "zzz.toml").write_text(here.replace("/etc/asterisk/asterisk.conf", "/etc/hostname"))
    names = Profiles(tmp_path).fitting()
    assert names[0] == "zzz"
    assert set(names) >= {"aaa", "asterisk", "zzz"}
