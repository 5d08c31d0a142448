"""Every code that the sources tell has a sentence in each language, with fields that are really given."""

from collections import Counter
from importlib import resources
from string import Formatter

import pytest

from beistand.domain.finding import Finding, Severity
from beistand.domain.message import message
from beistand.text import LANGUAGES, hint, language, sentence, term
from beistand.text.catalogue import BECAUSE, WORDS, entries
from beistand.text.figures import FIGURES, duration, minute, moment, number, size, span, weekday
from source_codes import Use, troubles, uses
from template_codes import template_uses, word_prefixes

ALL = sorted((*uses(), *template_uses()), key=lambda each: (each.code, each.place))


WITHOUT_ADVICE = {
    "cancelled": "whoever reads it ended it",
    "takeover-declined": "whoever reads it said no, just now",
    "frame-too-large": "between programs of one version; nobody types it",
    "hello-first": "between programs of one version; nobody types it",
    "setup-interrupted": "why a setup went back; that has a hint of its own",
    "setup-rebooted": "why a setup went back; that has a hint of its own",
    "setup-unconfirmed": "why a setup went back; that has a hint of its own",
    "web.takeover.failed.why": "the page says beside it what becomes of what was begun",
}
"""Troubles without a hint, each with the reason: nobody needs one, or nobody reads it."""
COUNTS = {
    *("announced_entries", "answered", "answering", "attempt", "attempts", "count", "entries", "every"),
    *("failed", "most", "phones", "tries"),
}
"""Fields that are a number of things, wherever they stand."""


def fields_of(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_code_has_a_sentence(spoken: str) -> None:
    missing = {each.code: each.place for each in ALL if not entries(spoken).get(each.code)}
    assert missing == {}


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_word_of_a_page_belongs_to_a_family(spoken: str) -> None:
    families = {code.rpartition(".")[0] for code in entries(spoken)}
    assert word_prefixes() - families == set()


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_a_sentence_uses_only_fields_that_every_place_gives(spoken: str) -> None:
    def unknown(use: Use) -> set[str]:
        texts = (entries(spoken).get(code, "") for code in (use.code, f"{use.code}.hint"))
        return {name for text in texts for name in fields_of(text)} - (use.fields or set())

    wrong = {
        each.place: (each.code, unknown(each)) for each in ALL if each.fields is not None and unknown(each)
    }
    assert wrong == {}


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_trouble_says_what_to_do(spoken: str) -> None:
    """Every refusal names its reason and what to do."""
    told = {each.code: each.place for each in troubles()}
    missing = {code: place for code, place in told.items() if not entries(spoken).get(f"{code}.hint")}
    assert missing.keys() - WITHOUT_ADVICE.keys() == set(), missing
    assert WITHOUT_ADVICE.keys() <= missing.keys(), "these have one by now, or nobody tells them any more"


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_code_stands_in_one_place(spoken: str) -> None:
    """Of two sentences one is never read, and nobody sees which."""
    folder = resources.files("beistand") / "locale" / spoken / "LC_MESSAGES"
    codes = Counter(
        line
        for file in folder.iterdir()
        for line in file.read_text("utf-8").splitlines()
        if line.startswith("msgid ")
    )
    assert {line for line, count in codes.items() if count > 1} <= {'msgid ""'}


def test_the_languages_say_the_same_things() -> None:
    english, german = (entries(each) for each in LANGUAGES)
    assert english.keys() == german.keys()
    differ = {code for code in english if fields_of(english[code]) != fields_of(german[code])}
    assert differ == set()


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_figure_of_the_catalogue_is_known(spoken: str) -> None:
    specs = {spec for text in entries(spoken).values() for _, _, spec, _ in Formatter().parse(text) if spec}
    assert specs <= {*FIGURES, *WORDS, BECAUSE}


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_number_of_things_is_written_as_people_do(spoken: str) -> None:
    bare = {
        code: name
        for code, text in entries(spoken).items()
        for _, name, spec, _ in Formatter().parse(text)
        if name in COUNTS and not spec
    }
    assert bare == {}


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_what_to_do_is_said_and_not_where_to_read_about_it(spoken: str) -> None:
    """The guide is English, and nobody has it at hand in the middle of the night."""
    sent_away = {
        code
        for code, text in entries(spoken).items()
        if any(words in text for words in ("he guide", "im Handbuch", "Das Handbuch"))
    }
    assert sent_away == set()


def test_a_message_becomes_a_sentence_and_a_hint() -> None:
    told = message("address-in-use", address="192.0.2.10", mac="02:00:00:00:00:01")
    assert sentence(told, "en") == "cannot take 192.0.2.10: 02:00:00:00:00:01 still answers for it"
    assert hint(told, "de").startswith("schalten Sie dieses Gerät aus")


def test_a_finding_is_told_the_same_way() -> None:
    finding = Finding(code="clocks-differ", severity=Severity.WARN, fields={"peer": "pbx-b", "skew": 75.0})
    assert sentence(finding, "en") == "the clocks of this appliance and pbx-b differ by 1 minute 15 seconds"


def test_unknown_codes_and_missing_fields_are_told_bare() -> None:
    assert sentence(message("no-such-code", a=1), "en") == "no-such-code a=1"
    assert sentence(message("address-in-use", mac="02"), "en") == "address-in-use mac=02"
    assert hint(message("no-such-code"), "en") == ""


@pytest.mark.parametrize("odd", [float("inf"), float("nan"), -1e300, "x", 10**400])
def test_a_number_that_no_figure_can_say_is_told_bare(odd: float | str) -> None:
    """An alarm with such a field is a mail all the same."""
    text = sentence(message("clocks-differ", peer="b", skew=odd), "en")
    assert text
    assert "b" in text
    assert term("no-such-term", "de") == "no-such-term"


@pytest.mark.parametrize(
    ("why", "expected"),
    [
        ("", "Zyklus: fehlgeschlagen"),
        ("peer-silent", "Zyklus: fehlgeschlagen: die andere Anlage antwortet nicht"),
        (
            str(message("address-in-use", address="192.0.2.10", mac="two words")),
            "Zyklus: fehlgeschlagen: 192.0.2.10 kann nicht übernommen werden: two words antwortet noch dafür",
        ),
        ("no-such-code a=1", "Zyklus: fehlgeschlagen: no-such-code a=1"),
    ],
)
def test_a_line_of_the_log_tells_its_words_and_why(why: str, expected: str) -> None:
    told = message("job-ends", job="1", kind="cycle", state="failed", why=why)
    assert sentence(told, "de") == expected


@pytest.mark.parametrize("cause", ["port in use", 'he said "no"', "back\\slash", 'C:\\ "x" \\"', ""])
def test_a_cause_is_still_told_behind_three_others(cause: str) -> None:
    """A setup that cannot go back, as the PBX does not start, as its port is taken; and all of it an alarm."""
    first = message("service-not-started", unit="asterisk", why=cause)
    second = message("setup-pbx-not-started", unit="asterisk", why=str(first))
    third = message("setup-undo-fails", why=str(second), seconds=10.0)
    told = sentence(message("alarm-begins", what=str(third)), "en")
    assert told.endswith(f"asterisk did not start: asterisk did not start: {cause}"), told


@pytest.mark.parametrize("code", ["local-backup-failed", "service-address-let-pass", "settings-wrong"])
def test_a_reason_is_told_in_words(code: str) -> None:
    why = str(message("file-not-written", path="/etc/x", why="read-only"))
    told = sentence(message(code, why=why, path="/etc/x", address="192.0.2.10", line=3), "en")
    assert told.endswith(": /etc/x cannot be written: read-only")


def test_fields_from_a_peer_reach_no_attributes() -> None:
    assert sentence(message("cancelled", __class__="x"), "en") == "cancelled"


@pytest.mark.parametrize(
    ("preferred", "environment", "expected"),
    [
        ("", {}, "en"),
        ("de", {"LANG": "en_US.UTF-8"}, "de"),
        ("", {"LANG": "de_DE.UTF-8"}, "de"),
        ("", {"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, "en"),
        ("", {"LANG": "en_US.UTF-8", "LANGUAGE": "de:en"}, "de"),
        ("", {"LANG": "fr_FR.UTF-8"}, "en"),
        ("fr", {}, "en"),
    ],
)
def test_the_language_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, preferred: str, environment: dict[str, str], expected: str
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert language(preferred) == expected


@pytest.mark.parametrize(
    ("seconds", "english", "german"),
    [
        (0, "0 seconds", "0 Sekunden"),
        (1, "1 second", "1 Sekunde"),
        (0.84, "0.8 seconds", "0,8 Sekunden"),
        (59.6, "1 minute", "1 Minute"),
        (75, "1 minute 15 seconds", "1 Minute 15 Sekunden"),
        (3600, "1 hour", "1 Stunde"),
        (3605, "1 hour", "1 Stunde"),
        (90000, "1 day 1 hour", "1 Tag 1 Stunde"),
        (-7200, "-2 hours", "-2 Stunden"),
    ],
)
def test_durations(seconds: float, english: str, german: str) -> None:
    assert (duration(seconds, "en"), duration(seconds, "de")) == (english, german)


def test_durations_after_a_preposition() -> None:
    assert [span(each, "de") for each in (86400, 3 * 86400)] == ["1 Tag", "3 Tagen"]
    assert span(3 * 86400, "en") == "3 days"


@pytest.mark.parametrize(
    ("count", "english", "german"),
    [
        (0, "0 bytes", "0 Bytes"),
        (999, "999 bytes", "999 Bytes"),
        (1400, "1.4 kB", "1,4 kB"),
        (999_999, "1.0 MB", "1,0 MB"),
        (123_456_789, "123 MB", "123 MB"),
        (5 * 10**15, "5000 TB", "5000 TB"),
    ],
)
def test_sizes(count: int, english: str, german: str) -> None:
    assert (size(count, "en"), size(count, "de")) == (english, german)


def test_numbers_and_moments() -> None:
    assert (number(60000, "en"), number(60000, "de"), number(1234.5, "de")) == (
        "60,000",
        "60.000",
        "1.234,50",
    )
    assert [weekday("2026-03-01", each) for each in LANGUAGES] == ["Sunday", "Sonntag"]
    assert [weekday("2026-03-02T14:00:00", each) for each in LANGUAGES] == ["Monday", "Montag"]
    assert weekday("tomorrow", "en") == "tomorrow"
    assert moment("2026-03-01T14:00:00", "de") == "01.03.2026 14:00:00"
    assert moment("tomorrow", "en") == "tomorrow"
    assert (minute("2026-03-01T14:00:00", "de"), minute("tomorrow", "en")) == ("01.03.2026 14:00", "tomorrow")
