"""Files of the installation: read with clear errors, written whole."""

from pathlib import Path

import msgspec
import pytest

from beistand.adapters.profiles import Profiles
from beistand.adapters.settings import read_installation, read_loosely, settings_file, write_installation
from beistand.domain.errors import BeistandError, Failed, Refused
from beistand.domain.installation import Installation, ServiceAddress
from beistand.text import sentence

SERVICE = ServiceAddress(address="192.0.2.10", interface="eth0")
OTHER = ServiceAddress(address="192.0.2.11", interface="eth0")
TAGGED = ServiceAddress(address="192.0.2.10", interface="eth0.7")
INSTALLATION = Installation(
    interface="eth0",
    own_address="192.0.2.1/24",
    service_addresses=(SERVICE,),
    profile="asterisk",
)
PROFILE = """
schema = 1
name = "small"
title = "A small one"
services = [{ unit = "pbx.service" }]
trees = [{ path = "/etc/pbx" }]
[detect]
files = ["/usr/sbin/pbx"]
version_command = ["pbx", "-V"]
"""


def test_settings_come_back_as_they_were(tmp_path: Path) -> None:
    write_installation(tmp_path / "etc", INSTALLATION)
    assert settings_file(tmp_path / "etc").exists()
    assert read_installation(tmp_path / "etc") == INSTALLATION
    assert [each.name for each in (tmp_path / "etc").iterdir()] == ["installation.toml"]


@pytest.mark.parametrize(
    "text",
    [
        'interface = "eth0"\nown_address = "192.0.2.1/24"\nservice_address = "192.0.2.10"',
        'interface = "eth0"\nown_address = "192.0.2.1/24"\nservice_addresses = ["192.0.2.10"]\nmore = 1',
        'interface="eth0"\nown_address="192.0.2.1/24"\n[[service_addresses]]\naddress="192.0.2.10"\ninterface="eth0"',
        "interface = 'eth0'\nown_address = '192.0.2.1/24'\nservice_address = '192.0.2.10/24'\nhalf a",
        'interface = "eth0"\nown_address = "192.0.2.1/24"\nservice_addresses = [\n{ address = "192.0.2.10" },\n]\n= 3',
    ],
)
def test_settings_of_any_version_still_say_the_address_of_the_phones(tmp_path: Path, text: str) -> None:
    settings_file(tmp_path).write_text(text)
    found = read_loosely(tmp_path)
    assert found is not None
    assert (found.interface, found.own_address) == ("eth0", "192.0.2.1/24")
    assert found.service_addresses == (SERVICE,)


@pytest.mark.parametrize(
    "text", ["", "rubbish", 'interface = "eth0"', 'own_address = "192.0.2.1/24"\n', "\x00\xff"]
)
def test_settings_that_say_nothing_are_none(tmp_path: Path, text: str) -> None:
    settings_file(tmp_path).write_text(text, encoding="latin-1")
    assert read_loosely(tmp_path) is None
    assert read_loosely(tmp_path / "nowhere") is None


def test_without_settings_the_machine_is_not_initialised(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="not-initialised"):
        read_installation(tmp_path)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("interface = = 1", "line 1"),
        ("interface = 1", "$.interface"),
        ('interfaces = "eth0"', "interfaces"),
        ('interface = "eth0"', "own_address"),
    ],
)
def test_a_wrong_file_is_told_with_the_place(tmp_path: Path, text: str, place: str) -> None:
    (tmp_path / "installation.toml").write_text(text)
    with pytest.raises(Failed) as told:
        read_installation(tmp_path)
    assert told.value.message.code == "settings-wrong"
    assert str(tmp_path / "installation.toml") == told.value.message.fields["path"]
    assert place in str(told.value.message.fields["why"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"interface": ""}, "interface-name-wrong"),
        ({"interface": "../eth0"}, "interface-name-wrong"),
        ({"own_address": "192.0.2.1"}, "own-address-wrong"),
        ({"own_address": "192.0.2.300/24"}, "own-address-wrong"),
        ({"own_address": "192.0.2.0/24"}, "own-address-wrong"),
        ({"service_addresses": ()}, "service-address-missing"),
        ({"own_address": "192.0.2.10/24"}, "service-address-is-own"),
        ({"own_address": "198.51.100.1/24"}, "service-address-outside"),
        ({"service_addresses": (SERVICE, OTHER)}, "service-addresses-several"),
        ({"service_addresses": (TAGGED,)}, "service-address-elsewhere"),
    ],
)
def test_addresses_that_cannot_work_are_refused(tmp_path: Path, changes: dict, code: str) -> None:
    with pytest.raises(BeistandError, match=code):
        write_installation(tmp_path, msgspec.structs.replace(INSTALLATION, **changes))
    assert list(tmp_path.iterdir()) == []


def test_settings_that_ask_for_more_than_works_are_told_in_words(tmp_path: Path) -> None:
    """Whoever wrote a second service address by hand reads a sentence, not a code."""
    two = msgspec.structs.replace(INSTALLATION, service_addresses=(SERVICE, OTHER))
    (tmp_path / "installation.toml").write_bytes(msgspec.toml.encode(two))
    with pytest.raises(Failed, match="settings-wrong") as told:
        read_installation(tmp_path)
    words = sentence(told.value.message, "en")
    assert "192.0.2.10, 192.0.2.11 are several service addresses" in words


def test_a_profile_of_this_machine_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(PROFILE)
    profiles = Profiles(tmp_path)
    assert "small" in profiles.names()
    assert profiles.origin("small") == str(tmp_path / "small.toml")
    assert profiles.load("small").services[0].unit == "pbx.service"


def test_it_wins_over_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "asterisk.toml").write_text(PROFILE.replace('"small"', '"asterisk"'))
    assert Profiles(tmp_path).load("asterisk").title == "A small one"


def test_every_shipped_profile_is_right(tmp_path: Path) -> None:
    profiles = Profiles(tmp_path)
    assert {profiles.load(name).name for name in profiles.names()} == set(profiles.names())


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (PROFILE.replace("schema = 1", "schema = 2"), "$.schema"),
        (PROFILE.replace('"small"', '"large"'), "$.name"),
        (PROFILE.replace('"/etc/pbx"', '"etc/pbx"'), "$.trees[0].path"),
        (PROFILE + "colour = 1", "colour"),
        ("schema = = 1", "line 1"),
        ("schema = '\udcff'", "utf-8"),
    ],
)
def test_a_wrong_profile_is_told_with_file_and_place(tmp_path: Path, text: str, place: str) -> None:
    (tmp_path / "small.toml").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(Refused) as told:
        Profiles(tmp_path).load("small")
    assert told.value.message.code == "profile-wrong"
    assert told.value.message.fields["path"] == str(tmp_path / "small.toml")
    assert place in str(told.value.message.fields["why"])


def test_an_unknown_profile_is_told_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(PROFILE)
    with pytest.raises(Refused) as told:
        Profiles(tmp_path).load("../small")
    assert "small" in str(told.value.message.fields["known"])
