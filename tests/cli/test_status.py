"""`beistand status` and the lists."""

import json

import msgspec

from beistand.domain.finding import Finding, Severity
from beistand.domain.generation import CopyState
from beistand.domain.message import message
from beistand.domain.role import Role
from beistand.protocol import GenerationList, GetStatus, ListGenerations, PeerView, Status
from cli.examples import Run, a_copy, a_generation, a_job
from fakes.agent_server import FakeAgent

STATUS = Status(
    initialised=True,
    role=Role.ACTIVE,
    state="serving",
    host="pbx-a",
    own_address="192.0.2.1/24",
    service_address="192.0.2.10",
    epoch=2,
    version="0.1.0",
    libraries="2026-02-01",
    licence_key="AAAAA-BBBBB-CCCCC-DDDDD",
    pair="c" * 32,
    peer=PeerView(
        host="pbx-b",
        own_address="192.0.2.2/24",
        connected=True,
        silent_seconds=0.4,
        role=Role.STANDBY,
        serving=False,
    ),
    newest=a_copy(),
    usable=a_copy(),
    usable_age_seconds=312.0,
    next_cycle="2026-03-01T14:00:00+01:00",
    attempts=10,
    findings=(
        Finding(
            code="gateways-differ", severity=Severity.WARN, fields={"mine": "-", "theirs": "-", "peer": "b"}
        ),
    ),
)


def shown(run: Run, status: Status, language: str = "en") -> str:
    with FakeAgent({GetStatus: status}) as agent:
        result = run("status", agent=agent, language=language)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_about_ten_lines_say_what_is_asked_first(run: Run) -> None:
    lines = shown(run, STATUS).splitlines()
    assert lines == [
        "Appliance        pbx-a: active, serving",
        "Service address  192.0.2.10 (own address 192.0.2.1/24, epoch 2)",
        "Other appliance  pbx-b (192.0.2.2/24), standby, connected",
        "Usable copy      5 minutes 12 seconds old, imported, not yet proven (20260301T115500Z-7)",
        "Newest cycle     20260301T115500Z-7: imported, not yet proven, took 3.2 seconds",
        "Next cycle       2026-03-01 14:00:00",
        "Version          0.1.0, libraries of 2026-02-01",
        "WARNING: gateways differ: - here, - on b [gateways-differ]",
        "  HINT: after a takeover the gateway of the standby is used",
    ]


def test_the_same_in_german(run: Run) -> None:
    text = shown(run, STATUS, "de")
    assert "Anlage           pbx-a: Aktive Anlage, in Betrieb" in text
    assert "5 Minuten 12 Sekunden alt, importiert, noch nicht erprobt" in text
    assert "01.03.2026 14:00:00" in text


def test_a_failed_cycle_is_told_with_stage_reason_and_next_try(run: Run) -> None:
    failed = a_copy(CopyState.FAILED, failed_stage="verify", why=message("peer-silent", server="192.0.2.2"))
    text = shown(run, msgspec.structs.replace(STATUS, newest=failed, attempt=3))
    assert "20260301T115500Z-7: failed: " in text
    assert "try 3 of 10" in text


def test_a_fresh_standby_without_anything(run: Run) -> None:
    status = Status(
        initialised=True, role=Role.STANDBY, state="standing-by", host="pbx-b", service_address="192.0.2.10"
    )
    text = shown(run, status)
    assert "none: not paired" in text
    assert "none: a takeover would have no data" in text
    assert "none planned" in text


def test_after_a_takeover_neither_side_promises_a_copy(run: Run) -> None:
    """B1: what is there is no copy of what is served now, and a former active has its own data."""
    alone = Finding(code="no-standby", severity=Severity.WARN)
    assert "none: there is no standby" in shown(run, msgspec.structs.replace(STATUS, findings=(alone,)))
    former = msgspec.structs.replace(STATUS, role=Role.SUPERSEDED, state="superseded", usable=None)
    assert "its own data" in shown(run, former)


def test_a_silent_peer_and_a_running_job(run: Run) -> None:
    assert STATUS.peer
    peer = msgspec.structs.replace(STATUS.peer, connected=False, silent_seconds=75)
    text = shown(run, msgspec.structs.replace(STATUS, peer=peer, job=a_job(stage="verify", done=1, total=4)))
    assert "silent for 1 minute 15 seconds" in text
    assert "[######..................]  25%" in text


def test_json_is_the_status_itself(run: Run) -> None:
    with FakeAgent({GetStatus: STATUS}) as agent:
        result = run("status", "--json", agent=agent)
    assert msgspec.json.decode(result.stdout, type=Status) == STATUS


def test_a_machine_that_is_not_set_up_says_so(run: Run) -> None:
    assert "beistand init" in shown(run, Status(initialised=False, host="pbx-a"))


def test_a_setup_that_cannot_be_taken_back_is_told_before_init(run: Run) -> None:
    """The telephones may be dead: after the automatic way back this is all that says so."""
    why = message("setup-pbx-not-started", unit="asterisk", why="port in use")
    findings = (
        Finding(code="setup-undo-fails", severity=Severity.BLOCK, fields={"why": str(why), "seconds": 10.0}),
        Finding(code="setup-undoing", severity=Severity.WARN, fields={"seconds": 10.0}),
    )
    text = shown(run, Status(initialised=False, host="pbx-a", findings=findings))
    assert "not set up yet" in text
    assert "asterisk did not start" in text
    assert "tried again every 10 seconds" in text
    assert "[setup-undo-fails]" in text


def test_generations_are_listed_with_the_restore_points(run: Run) -> None:
    answer = GenerationList(
        copies=(a_copy(CopyState.FAILED), a_copy()),
        live=a_generation(7).id,
        restore_points=(a_generation(7), a_generation(6)),
    )
    with FakeAgent({ListGenerations: answer}) as agent:
        text = run("generation", "list", agent=agent).stdout
    assert "* 20260301T115500Z-7  2026-03-01 13:00:00  1.4 MB" in text
    assert "  20260301T115500Z-6" in text


def test_without_generations_that_is_said(run: Run) -> None:
    with FakeAgent({ListGenerations: GenerationList(copies=())}) as agent:
        assert run("generation", "list", agent=agent).stdout == "No generation yet.\n"


def test_profiles_are_listed_without_an_agent(run: Run, tmp_path: object) -> None:
    names = [each["name"] for each in json.loads(run("profile", "list", "--json").stdout)]
    assert "asterisk" in names
    assert "asterisk" in run("profile", "check", "asterisk").stdout
    assert 'name = "asterisk"' in run("profile", "show", "asterisk").stdout
    assert run("profile", "check", "nothing").exit_code == 1


def test_an_agent_that_cannot_read_its_state_says_only_that(run: Run) -> None:
    finding = Finding(
        code="state-damaged", severity=Severity.BLOCK, fields={"path": "/state.db", "why": "malformed"}
    )
    broken = Status(initialised=True, state="out-of-order", host="pbx-a", findings=(finding,))
    with FakeAgent({GetStatus: broken}) as agent:
        told = run("status", agent=agent).stdout
    assert "out of order" in told
    assert "[state-damaged]" in told
    assert "not paired" not in told
