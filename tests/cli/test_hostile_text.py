"""Names of files and words of the peer on root's terminal and in the journal (D20)."""

import json

import pytest

from beistand.agent.log import log
from beistand.cli.console import Console
from beistand.domain.finding import Finding, Severity
from beistand.domain.message import Message

HOSTILE = "/a\n<3>internal-error reference=0 \x1b]0;x\x07\x9b2J\u202e\udc80\U0001f600\U000e0041"


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_hostile_name_stays_in_its_line_on_a_terminal(
    capsys: pytest.CaptureFixture[str], language: str
) -> None:
    console = Console(as_json=False, language=language)
    finding = Finding(code="not-in-the-catalogue", severity=Severity.WARN, fields={"path": HOSTILE})
    console.text(HOSTILE)
    console.line("cli.status.silent", seconds=3.0)
    console.findings([finding])
    with pytest.raises(SystemExit):
        console.fail(Message(code="disk-full", fields={"path": HOSTILE}))
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err  # no terminal: no colours of our own either
    assert all(each.isprintable() for each in (said.out + said.err).replace("\n", ""))
    assert len(said.out.splitlines()) == 3


def test_a_document_means_the_same_and_controls_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    name = HOSTILE.replace("\udc80", "")
    Console(as_json=True, language="en").document({"path": name, "name": "Müller"})
    said = capsys.readouterr().out
    assert json.loads(said) == {"path": name, "name": "Müller"}
    assert "Müller" in said
    assert all(each.isprintable() for each in said.replace("\n", ""))


def test_no_name_begins_a_line_of_the_journal(capsys: pytest.CaptureFixture[str]) -> None:
    log("file-growing", path=HOSTILE, level="error")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("<3>file-growing path=")
    assert line.isprintable()
