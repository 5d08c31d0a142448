"""`beistand licence`: both sets, and what sellers do offline."""

import json
import stat
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from beistand.adapters.licence_signatures import Ed25519Signatures
from beistand.domain.licence import Licence, LicenceKind
from beistand.domain.licence_file import read_licence_file
from beistand.protocol import GetLicences, InstallLicence, InstallLicences, LicencesView
from cli.examples import Run
from fakes.agent_server import FakeAgent

OWN = Licence(key="AAAAA-AAAAA-AAAAA-AAAAA", kind=LicenceKind.SERVER)
THEIRS = Licence(
    key="BBBBB-BBBBB-BBBBB-BBBBB", kind=LicenceKind.REDUNDANCY_SERVER, counterpart=OWN.key, holder="Praxis"
)
NEW = Licence(
    key="CCCCC-CCCCC-CCCCC-CCCCC", kind=LicenceKind.USER, count=25, is_self_issued=False, seller="acme"
)
VIEW = LicencesView(own=(OWN,), peer=(THEIRS,))


def test_both_sets_are_listed(run: Run) -> None:
    with FakeAgent({GetLicences: VIEW}) as agent:
        text = run("licence", "list", agent=agent).stdout
    assert "AAAAA-AAAAA-AAAAA-AAAAA  server licence" in text
    assert "redundancy server licence  stands in for AAAAA-AAAAA-AAAAA-AAAAA" in text


def test_one_licence_is_shown(run: Run) -> None:
    with FakeAgent({GetLicences: VIEW}) as agent:
        assert "Praxis" in run("licence", "show", THEIRS.key.lower(), agent=agent).stdout
        unknown = run("licence", "show", NEW.key, agent=agent)
    assert (unknown.exit_code, "there is no licence" in unknown.stderr) == (1, True)


def test_a_key_is_pasted_and_a_file_is_read(run: Run, tmp_path: Path) -> None:
    after = LicencesView(own=(OWN, NEW), peer=(THEIRS,), installed=(NEW.key,))
    file = tmp_path / "new.licence"
    file.write_text("{}")
    with FakeAgent({GetLicences: VIEW, InstallLicence: after, InstallLicences: after}) as agent:
        by_key = run("licence", "install", NEW.key.lower(), agent=agent)
        by_file = run("licence", "install", str(file), agent=agent)
        assert [each.file for each in agent.asked(InstallLicences)] == ["{}"]  # type: ignore[attr-defined]
    assert by_key.stdout == by_file.stdout
    assert "Installed: CCCCC-CCCCC-CCCCC-CCCCC  user licence  for 25" in by_key.stdout


def test_a_file_of_the_other_side_is_told_each_time(run: Run, tmp_path: Path) -> None:
    """Also when it made nothing known that was not known before."""
    file = tmp_path / "new.licence"
    file.write_text("{}")
    view = LicencesView(own=(OWN,), peer=(THEIRS,), known=(NEW,))
    with FakeAgent({GetLicences: view, InstallLicences: replace(view, elsewhere=(NEW.key,))}) as agent:
        told = run("licence", "install", str(file), agent=agent).stdout
    assert "for the other appliance: CCCCC-CCCCC-CCCCC-CCCCC" in told


def test_a_file_that_is_missing_is_told(run: Run) -> None:
    with FakeAgent({GetLicences: VIEW}) as agent:
        assert "cannot be read" in run("licence", "install", "/nowhere/file", agent=agent).stderr


def test_a_seller_makes_keys_and_signs_offline(run: Run, tmp_path: Path) -> None:
    assert run("licence", "keygen", "acme", "--folder", str(tmp_path)).exit_code == 0
    secret, public = tmp_path / "acme.key", tmp_path / "acme.pub"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    again = run("licence", "keygen", "acme", "--folder", str(tmp_path))
    assert (again.exit_code, "is there already" in again.stderr) == (1, True)

    what = ["--server", "--users", "25", "--module", "redundancy", "--redundancy", "--expires", "2030-12-31"]
    output = tmp_path / "praxis.licence"
    result = run("licence", "issue", "--signing-key", str(secret), *what, "--output", str(output))
    assert result.exit_code == 0, result.stderr
    granted = read_licence_file(
        output.read_text(), {"acme": public.read_bytes()}, Ed25519Signatures().is_signed
    )
    assert [each.kind.value for each in granted] == [
        "server",
        "user",
        "module",
        "redundancy-server",
        "redundancy-user",
        "redundancy-module",
    ]
    assert [each.counterpart for each in granted[3:]] == [each.key for each in granted[:3]]
    assert {each.expires for each in granted} == {date(2030, 12, 31)}


def test_a_licence_stands_in_for_one_that_is_installed(run: Run, tmp_path: Path) -> None:
    run("licence", "keygen", "acme", "--folder", str(tmp_path))
    arguments = ["--signing-key", str(tmp_path / "acme.key"), "--stand-in", f"module:redundancy={OWN.key}"]
    printed = json.loads(run("licence", "issue", *arguments).stdout)
    assert printed["licences"][0]["counterpart"] == OWN.key
    assert printed["licences"][0]["kind"] == "redundancy-module"


@pytest.mark.parametrize("what", ["server=AAAA", "nothing=AAAAA-AAAAA-AAAAA-AAAAA"])
def test_what_cannot_be_issued_is_refused(run: Run, tmp_path: Path, what: str) -> None:
    run("licence", "keygen", "acme", "--folder", str(tmp_path))
    arguments = ["--signing-key", str(tmp_path / "acme.key"), "--stand-in", what]
    assert run("licence", "issue", *arguments).exit_code != 0
