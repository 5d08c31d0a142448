"""Which phones can be called at once after a start of the PBX, and how that is said (B14)."""

import pytest

from beistand.domain.phones import Contact, Reached, reached, reached_message
from beistand.text import sentence

UDP = Contact(uri="sip:101@192.0.2.51:5060")
TCP = Contact(uri="sip:102@192.0.2.52:40000;transport=TCP", survives=False)
TLS = Contact(uri="sip:103@192.0.2.53:40001;transport=tls", survives=False)
KEPT = Contact(uri="sip:104@192.0.2.54:5060;transport=tcp")
NAMED = Contact(uri="sip:105@phone.example.org")


@pytest.mark.parametrize(
    ("contacts", "at_once", "later"),
    [
        ((), (), ()),
        ((UDP,), ("192.0.2.51:5060",), ()),
        ((UDP, TCP, TLS), ("192.0.2.51:5060",), ("192.0.2.52:40000", "192.0.2.53:40001")),
        ((UDP, UDP, TLS, TLS), ("192.0.2.51:5060",), ("192.0.2.53:40001",)),
        ((KEPT, NAMED), ("192.0.2.54:5060",), ()),
        ((Contact(uri=UDP.uri, survives=False), UDP), ("192.0.2.51:5060",), ()),
    ],
)
def test_what_the_pbx_forgets_is_never_called_at_once(
    contacts: tuple[Contact, ...], at_once: tuple[str, ...], later: tuple[str, ...]
) -> None:
    assert reached(contacts) == Reached(at_once=at_once, later=later)


@pytest.mark.parametrize(
    ("at_once", "later", "english", "german"),
    [
        (
            2,
            4,
            "2 phones can be called at once, 4 when they have connected again",
            "2 Telefone sind sofort erreichbar, 4, sobald sie sich neu verbunden haben",
        ),
        (
            2,
            1,
            "2 phones can be called at once, 1 when it has connected again",
            "2 Telefone sind sofort erreichbar, 1, sobald es sich neu verbunden hat",
        ),
        (
            1,
            4,
            "1 phone can be called at once, 4 when they have connected again",
            "1 Telefon ist sofort erreichbar, 4, sobald sie sich neu verbunden haben",
        ),
        (
            1,
            1,
            "1 phone can be called at once, 1 when it has connected again",
            "1 Telefon ist sofort erreichbar, 1, sobald es sich neu verbunden hat",
        ),
        (2, 0, "2 phones can be called at once", "2 Telefone sind sofort erreichbar"),
        (1, 0, "1 phone can be called at once", "1 Telefon ist sofort erreichbar"),
        (
            0,
            4,
            "4 phones can be called when they have connected again",
            "4 Telefone sind erreichbar, sobald sie sich neu verbunden haben",
        ),
        (
            0,
            1,
            "1 phone can be called when it has connected again",
            "1 Telefon ist erreichbar, sobald es sich neu verbunden hat",
        ),
        (
            0,
            0,
            "no registered phone is known; phones register again by themselves",
            "kein angemeldetes Telefon ist bekannt; Telefone melden sich von selbst neu an",
        ),
    ],
)
def test_one_and_many_are_said_as_people_say_it(at_once: int, later: int, english: str, german: str) -> None:
    told = reached_message(at_once, later)
    assert (sentence(told, "en"), sentence(told, "de")) == (english, german)
