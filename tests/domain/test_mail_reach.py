"""S11, S21: an address that no mail can go to is told before the day, with names."""

import msgspec
import pytest

from beistand.domain.config import ModuleConfig
from beistand.domain.mail import MailServer, User
from beistand.domain.mail_reach import address_findings, unusable

SERVER = MailServer(host="mail", sender="pbx@example.org")
CONFIG = ModuleConfig(name="r", send_mail=True, mail_address="admin@example.org")


def user(address: str, number: int = 10) -> User:
    return User(name=f"Name {number}", extension=str(number), address=address)


def test_nothing_is_said_of_addresses_that_work_or_are_none() -> None:
    assert address_findings(SERVER, CONFIG, (user("a@example.org"), user(""))) == ()


@pytest.mark.parametrize("address", ["Muster", "max..muster@example.org", "müller@example.org", "a@b@c"])
def test_people_whom_no_mail_reaches_are_named(address: str) -> None:
    """A comma in a name puts the rest of the name where the address is looked for."""
    (found,) = address_findings(SERVER, CONFIG, (user("a@example.org"), user(address, 11)))
    assert (found.code, found.fields) == ("users-unreachable", {"count": 1, "names": "Name 11 (11)"})
    assert unusable((user(address, 11), user("", 12))) == (user(address, 11),)


def test_a_few_are_named_and_all_are_counted() -> None:
    (found,) = address_findings(SERVER, CONFIG, tuple(user("x", number) for number in range(34)))
    assert found.fields["count"] == 34
    assert str(found.fields["names"]).endswith("Name 4 (4), …")


def test_an_address_of_an_earlier_version_is_told_before_anything_happens() -> None:
    server = msgspec.structs.replace(SERVER, sender=".pbx@example.org")
    config = msgspec.structs.replace(CONFIG, mail_address="max..muster@example.org")
    assert [(each.code, each.fields["address"]) for each in address_findings(server, config, ())] == [
        ("mail-sender-form", ".pbx@example.org"),
        ("mail-address-form", "max..muster@example.org"),
    ]
    silent = msgspec.structs.replace(config, send_mail=False)
    assert [each.code for each in address_findings(server, silent, ())] == ["mail-sender-form"]
