"""The contract of the port Passwords: fake and Argon2."""

from statistics import median
from threading import Thread
from time import perf_counter

import pytest

from beistand.adapters.passwords import Argon2Passwords
from beistand.ports.passwords import Passwords
from fakes.passwords import FakePasswords

WORDS = "korrekt pferd batterie"


@pytest.fixture(params=["fake", "argon2"])
def passwords(request: pytest.FixtureRequest) -> Passwords:
    return FakePasswords() if request.param == "fake" else Argon2Passwords(memory_kib=1024, passes=1)


def test_the_password_fits_its_verifier_and_no_other(passwords: Passwords) -> None:
    verifier = passwords.verifier(WORDS)
    assert passwords.fits(WORDS, verifier)
    assert not passwords.fits(WORDS.upper(), verifier)
    assert not passwords.fits("", verifier)


def test_nobody_reads_the_password_or_sees_that_two_have_the_same(passwords: Passwords) -> None:
    one, other = passwords.verifier(WORDS), passwords.verifier(WORDS)
    assert one != other
    assert WORDS not in one


def test_without_an_account_nothing_fits(passwords: Passwords) -> None:
    assert not passwords.fits(WORDS, None)
    assert not passwords.fits("nobody", None)


@pytest.mark.parametrize("verifier", ["", "x", "$argon2id$v=19$m=1,t=1,p=1$x$y", "$argon2id$" + "9" * 5000])
def test_a_verifier_that_cannot_be_read_fits_nothing(passwords: Passwords, verifier: str) -> None:
    assert not passwords.fits(WORDS, verifier)


ABSURD = [
    "",
    "$argon2id$v=19$m=4294967295,t=1,p=1$YWFhYWFhYWE$YWFhYWFhYWFhYWFhYWFhYQ",
    "$argon2id$v=19$m=19456,t=4294967295,p=1$YWFhYWFhYWE$YWFhYWFhYWFhYWFhYWFhYQ",
    "$argon2id$v=19$m=19456,t=3,p=16777215$YWFhYWFhYWE$YWFhYWFhYWFhYWFhYWFhYQ",
    "$argon2id$v=19$m=-1,t=-1,p=-1$YWFhYWFhYWE$YWFhYWFhYWFhYWFhYWFhYQ",
    f"$argon2id$v=19$m={'9' * 200},t=1,p=1$YWFhYWFhYWE$YWFhYWFhYWFhYWFhYWFhYQ",
    "$argon2id$v=19$m=65537,t=1,p=1$YWFhYWFhYWE$YWFhYWFhYWFhYWFhYWFhYQ",
    "$argon2id$v=19$m=19456,t=11,p=1$YWFhYWFhYWE$YWFhYWFhYWFhYWFhYWFhYQ",
    "$argon2d$v=19$m=19456,t=3,p=1$YWFhYWFhYWE$YWFhYWFhYWFhYWFhYWFhYQ",
    "$argon2id$v=19$m=19456,t=3,p=1$" + "YWFh" * 100_000 + "$YWFhYWFhYWFhYWFhYWFhYQ",
]


def test_what_was_made_here_is_bearable(passwords: Passwords) -> None:
    assert passwords.is_bearable(passwords.verifier(WORDS))


@pytest.mark.parametrize("verifier", ABSURD, ids=range(len(ABSURD)))
def test_the_costs_of_a_verifier_are_read_before_they_are_paid(passwords: Passwords, verifier: str) -> None:
    """One that a broken-in peer sent would ask for 4 TiB, or for days."""
    assert not passwords.is_bearable(verifier)
    assert not passwords.fits(WORDS, verifier)


@pytest.mark.parametrize("password", ["ä" * 1000, "\ud800 half", "\0\0\0", "x" * 100_000])
def test_every_text_can_be_tried(passwords: Passwords, password: str) -> None:
    assert passwords.fits(password, passwords.verifier(password))


def test_an_umlaut_in_two_parts_is_the_same_umlaut(passwords: Passwords) -> None:
    assert passwords.fits("Bru\u0308cke zum Tor", passwords.verifier("Br\u00fccke zum Tor"))


def test_many_may_ask_at_once(passwords: Passwords) -> None:
    verifier = passwords.verifier(WORDS)
    answers: list[bool] = []
    threads = [Thread(target=lambda: answers.append(passwords.fits(WORDS, verifier))) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert answers == [True] * 8


def test_the_time_does_not_tell_which_names_exist() -> None:
    """F17: names cannot be found by a clock."""
    passwords = Argon2Passwords()
    verifier = passwords.verifier(WORDS)

    def seconds(which: str | None) -> float:
        begin = perf_counter()
        passwords.fits("something else", which)
        return perf_counter() - begin

    known, unknown = [], []
    for _ in range(9):
        known.append(seconds(verifier))
        unknown.append(seconds(None))
    assert 0.5 < median(known) / median(unknown) < 2.0


def test_a_verifier_says_how_it_was_made() -> None:
    assert Argon2Passwords().verifier(WORDS).startswith("$argon2id$v=19$m=19456,t=3,p=1$")
