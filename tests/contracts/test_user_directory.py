"""The contract of the port Users: who gets a mail, from what administrators really write."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beistand.adapters.profiles import Profiles
from beistand.adapters.user_directory import FileUsers
from beistand.domain.errors import Failed
from beistand.domain.mail import User
from beistand.domain.profile import DirectoryFormat, Profile, UserDirectory
from fakes.mail import FakeUsers
from fakes.pair_of_appliances import PROFILE

ALICE = User(name="Alice Ärmel", extension="1001", address="alice@example.org")
BOB = User(name="Bob", extension="1002", address="")


def profile(folder: Path) -> Profile:
    directory = UserDirectory(format=DirectoryFormat.ASTERISK_VOICEMAIL, path=str(folder / "voicemail.conf"))
    return msgspec.structs.replace(PROFILE, users=directory)


def users(folder: Path, text: str | bytes) -> tuple[User, ...]:
    (folder / "voicemail.conf").write_bytes(text if isinstance(text, bytes) else text.encode())
    return FileUsers().list(profile(folder))


@pytest.fixture(params=["fake", "real"])
def port(request: pytest.FixtureRequest, tmp_path: Path) -> FakeUsers | FileUsers:
    (tmp_path / "voicemail.conf").write_text(
        "[default]\n1001 => 1,Alice Ärmel,alice@example.org\n1002 => 1,Bob\n"
    )
    return FakeUsers((ALICE, BOB)) if request.param == "fake" else FileUsers()


def test_everybody_is_listed_with_or_without_an_address(port: FakeUsers | FileUsers, tmp_path: Path) -> None:
    assert port.list(profile(tmp_path)) == (ALICE, BOB)


def test_a_profile_without_a_directory_has_nobody(port: FakeUsers | FileUsers) -> None:
    assert port.list(PROFILE) == ()


def test_a_directory_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    for port in (FileUsers(), FakeUsers(trouble=Failed("users-not-read", path="/nowhere", why="gone"))):
        with pytest.raises(Failed, match="users-not-read"):
            port.list(profile(tmp_path))


def test_no_pin_is_ever_read(tmp_path: Path) -> None:
    found = users(tmp_path, "[default]\n1001 => 471199,Alice,a@example.org,,attach=yes|pin=471199\n")
    assert "471199" not in repr(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[default]\n1 => 1,A,a@x.org", ["1:a@x.org"]),
        ("[default]\n1=1,A,a@x.org,pager@x.org,tz=eu|attach=yes", ["1:a@x.org"]),
        ("[default]\n1 => 1,A,a@x.org|b@x.org", ["1:a@x.org"]),
        ("[default]\n1 => 1,A,a@x.org ; the boss", ["1:a@x.org"]),
        ("[default]\n;1 => 1,A,a@x.org\n2 => ,B,b@x.org", ["2:b@x.org"]),
        ("[default]\n;-- 1 => 1,A,a@x.org\n--;\n2 => 1,B,b@x.org", ["2:b@x.org"]),
        ("[default]\n;------\n2 => 1,B,b@x.org", ["2:b@x.org"]),
        ("[default]\n1 => 1,A\\;B,a@x.org", ["1:a@x.org"]),
        ("[general]\nserveremail=a@x.org,b,c\n[zonemessages]\neu=Europe/Berlin|'x',y,z", []),
        ("[t](!)\n1 => 1,A,a@x.org\n[default](t)\n2 => 1,B,b@x.org", ["1:a@x.org", "2:b@x.org"]),
        ("[a]\n1 => 1,A,a@x.org\n[b]\n1 => 1,B,b@x.org", ["1:a@x.org", "1:b@x.org"]),
        ("[a]\n1 => 1,A,a@x.org\n[a](+)\n1 => 1,B,b@x.org", ["1:b@x.org"]),
        ("1 => 1,A,a@x.org", []),
        ("[a]\n1\n=>\n1 => \n\x001 => 1,A,a@x.org\n2 => 1,,c@x.org", ["2:c@x.org"]),
        ("", []),
    ],
)
def test_what_people_write(text: str, expected: list[str], tmp_path: Path) -> None:
    assert [f"{each.extension}:{each.address}" for each in users(tmp_path, text)] == expected


def test_other_encodings(tmp_path: Path) -> None:
    line = "[default]\n1001 => 1,Jörg,j@example.org\n"
    for raw in (line.encode("utf-8-sig"), line.encode("cp1252"), line.replace("\n", "\r\n").encode()):
        assert [each.name for each in users(tmp_path, raw)] == ["Jörg"]


def test_included_files_of_the_same_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / "asterisk"
    (folder / "voicemail.d").mkdir(parents=True)
    for name, number in (("voicemail.d/a.conf", 1), ("voicemail.d/b.conf", 2), ("more.conf", 3)):
        (folder / name).write_text(f"[default]\n{number} => 1,N,{number}@x.org\n")
    (tmp_path / "outside.conf").write_text("[default]\n9 => 1,N,9@x.org\n")
    (folder / "link.conf").symlink_to(tmp_path / "outside.conf")
    text = """
#include voicemail.d/*.conf
#include "more.conf"
#tryinclude <missing.conf>
#include ../outside.conf
#include link.conf
#include voicemail.conf
#include ~root/x.conf
#exec /bin/true
"""
    assert [each.extension for each in users(folder, text)] == ["1", "2", "3"]


def test_the_shipped_profile_names_a_directory(tmp_path: Path) -> None:
    found = Profiles(tmp_path).load("asterisk").users
    assert found is not None
    assert found.path == "/etc/asterisk/voicemail.conf"


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_garbage_is_never_an_error(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    users(tmp_path_factory.mktemp("d"), b"[default]\n1 => 1,A,a@x.org\n" + raw)
