"""`log` and `network`: what is looked at is told in the words of the language."""

from datetime import UTC, datetime

from beistand.domain.message import message
from beistand.protocol import Check, GetNetwork, LogLine, LogLines, NetworkView, ReadModuleLog
from cli.examples import Run
from fakes.agent_server import FakeAgent
from fakes.situations import A, appliance

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_the_log_is_told_in_sentences_with_what_programs_look_for(run: Run) -> None:
    line = LogLine(at=NOW, level="info", message=message("config-saved", revision=2))
    with FakeAgent({ReadModuleLog: LogLines(lines=(line,))}) as agent:
        result = run("log", "--lang", "de", agent=agent)
    assert "die Modul-Konfiguration wurde gespeichert  [config-saved revision=2]" in result.stdout


def test_prerequisites_are_compared_in_the_words_of_the_language(run: Run) -> None:
    checks = (
        Check(code="static-address", own="yes", peer="no"),
        Check(code="clock", own="2026-03-01T12:00:00+00:00", peer=""),
    )
    view = NetworkView(
        own=appliance(A),
        peer=None,
        interface="eth0",
        subnet="192.0.2.0/24",
        checks=checks,
        certificate="BA:78",
    )
    with FakeAgent({GetNetwork: view}) as agent:
        result = run("network", "--lang", "de", agent=agent)
    assert "(SHA-256)  BA:78" in result.stdout
    assert ["ja", "nein"] in [line.split()[-2:] for line in result.stdout.splitlines()]
    assert ":00:00" in result.stdout
    assert "2026-03-01T" not in result.stdout
