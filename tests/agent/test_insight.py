"""Licences, module configuration, network, trial, coverage and log, as two agents answer for them."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from beistand.adapters.keys import fingerprint
from beistand.agent.cycles import check_licences
from beistand.agent.log import keep_lines, log, set_level
from beistand.agent.status import status
from beistand.domain.coverage import Found
from beistand.domain.errors import BeistandError, PeerRefused
from beistand.domain.health import prerequisites
from beistand.domain.licence import LicenceKind, stand_in_for
from beistand.domain.licence_file import Grant, signed
from beistand.domain.message import message
from beistand.domain.pair import Greeting
from beistand.protocol import (
    Coverage,
    GetCoverage,
    GetLicences,
    GetNetwork,
    Greet,
    HostKey,
    InstallLicence,
    InstallLicences,
    LicencesView,
    LogLines,
    NetworkView,
    PlanTakeover,
    ReadModuleLog,
    RemoveConfig,
    RemoveLicence,
    SetConfig,
    StartCycle,
    Status,
    TakeoverPlanAnswer,
    Trial,
    TryStandby,
)
from fakes.agents import OneOfTwo, TwoAgents
from fakes.situations import B, grant

KEYS = ["-".join([letter * 5] * 4) for letter in "PQRS"]
HOST_KEY = "ssh-ed25519 " + "A" * 68
OTHER_KEY = "ssh-ed25519 " + "B" * 68


def code(one: OneOfTwo, request: Any) -> str:
    with pytest.raises(BeistandError) as refused:
        one.ask(request)
    return refused.value.message.code


def findings(one: OneOfTwo) -> list[str]:
    return [each.code for each in status(one.agent).findings]


@pytest.fixture
def paired(two: TwoAgents) -> TwoAgents:
    """The standby's set stands in for the active's, as pairing leaves it; both believe one seller."""
    two.b.store.set_licences(stand_in_for(two.b.store.licences(), two.a.store.licences()))
    two.turns(2)
    return two


def a_file(two: TwoAgents, *grants: Grant) -> str:
    private, public = two.a.wiring.signatures.new_pair()
    for each in (two.a, two.b):
        each.wiring.sellers.known["acme"] = public
    return signed("acme", grants, lambda text: two.a.wiring.signatures.sign(private, text)).decode()


# --- licences (S5 to S7, F8) -----------------------------------------------------------------------


def test_both_sets_are_shown_on_both_sides(paired: TwoAgents) -> None:
    here = cast("LicencesView", paired.a.ask(GetLicences()))
    there = cast("LicencesView", paired.b.ask(GetLicences()))
    assert (here.own, here.peer) == (there.peer, there.own)
    assert here.findings == there.findings == ()


def test_one_file_for_the_pair_installs_on_each_side_what_belongs_there(paired: TwoAgents) -> None:
    file = a_file(
        paired,
        Grant(key=KEYS[0], kind=LicenceKind.SERVER),
        Grant(key=KEYS[1], kind=LicenceKind.REDUNDANCY_SERVER, counterpart=KEYS[0]),
    )
    here = cast("LicencesView", paired.a.ask(InstallLicences(file=file)))
    assert [each.key for each in here.known] == [KEYS[1]]
    assert (here.installed, here.elsewhere) == ((KEYS[0],), (KEYS[1],))
    paired.turns(2)
    assert "licence-counterpart-missing" in findings(paired.a)
    assert "licence-counterpart-missing" in findings(paired.b)
    paired.b.ask(InstallLicences(file=file))
    paired.turns(2)
    assert "licence-counterpart-missing" not in findings(paired.a)
    answer = cast("Status", status(paired.a.agent))
    assert answer.licence_key == KEYS[0]
    heard = paired.b.agent.link.last()
    assert heard is not None
    assert heard.appliance.licence_key == KEYS[0]


def test_a_known_key_is_pasted_where_it_fits(paired: TwoAgents) -> None:
    file = a_file(paired, Grant(key=KEYS[0], kind=LicenceKind.USER, count=5))
    assert code(paired.a, InstallLicence(key=KEYS[0])) == "licence-not-known"
    assert code(paired.a, InstallLicence(key="PPPPP")) == "licence-key-form"
    paired.a.ask(InstallLicences(file=file))
    assert code(paired.a, InstallLicence(key=KEYS[0])) == "licence-installed-already"
    paired.a.ask(RemoveLicence(key=KEYS[0]))
    again = cast("LicencesView", paired.a.ask(InstallLicence(key=f" {KEYS[0].lower()} ")))
    assert KEYS[0] in [each.key for each in again.own]
    assert again.installed == (KEYS[0],)
    paired.b.ask(InstallLicences(file=file))
    paired.turns(2)
    assert code(paired.b, InstallLicence(key=KEYS[0])) == "licence-on-both"


def test_a_file_of_a_stranger_changes_nothing(paired: TwoAgents) -> None:
    file = a_file(paired, Grant(key=KEYS[0], kind=LicenceKind.SERVER))
    paired.a.wiring.sellers.known.clear()
    assert code(paired.a, InstallLicences(file=file)) == "licence-seller-unknown"
    view = cast("LicencesView", paired.a.ask(GetLicences()))
    assert KEYS[0] not in {each.key for each in (*view.own, *view.known)}


def test_a_key_on_both_sides_stops_cycle_and_import_long_before_a_takeover(paired: TwoAgents) -> None:
    twin = paired.b.store.licences().licences[1]
    own = paired.a.store.licences()
    paired.a.store.set_licences(msgspec.structs.replace(own, licences=(*own.licences, twin)))
    paired.turns(2)
    assert findings(paired.a)[0] == findings(paired.b)[0] == "licence-on-both"
    for one in (paired.a, paired.b):
        heard = one.agent.link.last()
        assert heard is not None
        with pytest.raises(BeistandError, match="licence-on-both"):
            check_licences(one.agent.node, heard.licences)


def test_a_new_server_licence_is_checked_against_the_configuration(paired: TwoAgents) -> None:
    old = paired.a.store.licences().server_key
    paired.a.ask(SetConfig(config=paired.a.config(licence_key=old)))
    paired.a.ask(InstallLicences(file=a_file(paired, Grant(key=KEYS[0], kind=LicenceKind.SERVER))))
    assert "configured-key-wrong" in findings(paired.a)
    assert code(paired.a, SetConfig(config=paired.a.config(attempts=3))) == "licence-key-other"
    paired.a.ask(SetConfig(config=paired.a.config(licence_key=KEYS[0])))
    assert "configured-key-wrong" not in findings(paired.a)


# --- the module configuration (S6, S8) ----------------------------------------------------------------


def test_without_its_licence_the_module_cannot_be_configured(paired: TwoAgents) -> None:
    module = paired.a.store.licences().licences[2]
    paired.a.ask(RemoveLicence(key=module.key))
    assert code(paired.a, SetConfig(config=paired.a.config(attempts=3))) == "module-licence-missing"
    assert code(paired.a, RemoveConfig()) == "module-licence-missing"


def test_the_standby_configures_nothing(paired: TwoAgents) -> None:
    assert code(paired.b, SetConfig(config=paired.b.config(attempts=3))) == "configure-on-the-active"
    assert code(paired.b, RemoveConfig()) == "configure-on-the-active"


def test_a_deleted_configuration_rests_until_it_is_saved_again(paired: TwoAgents) -> None:
    paired.a.ask(SetConfig(config=paired.a.config(name="Nachts", attempts=3)))
    assert status(paired.a.agent).config_name == "Nachts"
    paired.a.ask(RemoveConfig())
    paired.a.agent.link.turn()
    for one in (paired.a, paired.b):
        assert status(one.agent).config_name == ""
        assert "module-config-missing" in findings(one)
    assert code(paired.a, StartCycle()) == "module-config-missing"
    assert code(paired.a, RemoveConfig()) == "module-config-missing"
    paired.a.ask(SetConfig(config=paired.a.config(active=True)))
    assert status(paired.a.agent).config_name == "Nachts"


# --- network and prerequisites (S4) -----------------------------------------------------------------


def test_the_network_is_shown_as_it_is_on_both_sides(paired: TwoAgents) -> None:
    paired.b.wiring.time_servers.named = ("192.0.2.250",)
    paired.b.machine.vlan = 7
    paired.turns(2)
    view = cast("NetworkView", paired.a.ask(GetNetwork()))
    assert view.own is not None
    assert view.peer is not None
    assert (view.interface, view.subnet, view.is_holding) == ("eth0", "192.0.2.0/24", True)
    wrong = {each.code: each.finding.code for each in view.checks if each.finding}
    assert wrong["vlan"] == "vlans-differ"
    assert wrong["time-servers"] == "time-servers-differ"
    assert set(wrong.values()) == {each.code for each in prerequisites(view.own, view.peer)}


def test_the_network_tells_the_certificate_of_the_pages(paired: TwoAgents, tmp_path: Path) -> None:
    """A program compares it, too."""
    one, file = paired.a, tmp_path / "cert.pem"
    one.wiring.places = replace(one.wiring.places, web_certificate=file)
    assert cast("NetworkView", one.ask(GetNetwork())).certificate == ""
    file.write_text("-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n")
    assert cast("NetworkView", one.ask(GetNetwork())).certificate.startswith("BA:78:16:BF:8F:01")


def test_a_silent_peer_is_shown_as_it_was_and_not_with_a_wrong_clock(paired: TwoAgents) -> None:
    paired.cut()
    paired.clock.advance(3600)
    view = cast("NetworkView", paired.a.ask(GetNetwork()))
    assert view.peer is not None
    assert "clock" not in {each.code for each in view.checks if each.finding}


# --- the trial of the way to the standby (S13) ----------------------------------------------------------


class Introduction:
    def __init__(self, line: str) -> None:
        self.line = line

    def host_key(self, _own_ip: str, _server: str) -> HostKey:
        return HostKey(line=self.line, fingerprint=fingerprint(self.line))


@pytest.fixture
def reachable(paired: TwoAgents) -> TwoAgents:
    paired.b.machine.open_ports = {22}
    paired.a.wiring.introduction = Introduction(HOST_KEY)
    pair = paired.a.store.pair()
    assert pair is not None
    paired.a.store.set_pair(msgspec.structs.replace(pair, peer_host_key=HOST_KEY))
    return paired


ALL_STEPS = ["standby-address", "arp", "ssh-port", "host-key", "key", "agent", "version", "role"]


def tried(one: OneOfTwo, server: str = "") -> tuple[list[str], str]:
    trial = cast("Trial", one.ask(TryStandby(server=server)))
    why = trial.steps[-1].why
    return [each.code for each in trial.steps], why.code if why else ""


def test_everything_on_the_way_works(reachable: TwoAgents) -> None:
    assert tried(reachable.a) == (ALL_STEPS, "")


def test_before_pairing_the_trial_ends_with_the_host_key(reachable: TwoAgents) -> None:
    reachable.stranger.open_ports = {22}
    assert tried(reachable.a, "192.0.2.99") == (ALL_STEPS[:4], "")


@pytest.mark.parametrize(
    ("server", "steps", "why"),
    [
        ("pbx-b", 1, "standby-server-form"),
        ("192.0.2.1", 1, "standby-server-own"),
        ("198.51.100.1", 1, "standby-server-outside"),
        ("192.0.2.77", 2, "no-layer-2"),
        ("192.0.2.99", 3, "peer-port-closed"),
    ],
)
def test_the_trial_ends_at_the_first_step_that_does_not_work(
    reachable: TwoAgents, server: str, steps: int, why: str
) -> None:
    assert tried(reachable.a, server) == (ALL_STEPS[:steps], why)


def test_another_host_key_is_told_with_both_fingerprints(reachable: TwoAgents) -> None:
    reachable.a.wiring.introduction = Introduction(OTHER_KEY)
    trial = cast("Trial", reachable.a.ask(TryStandby()))
    why = trial.steps[-1].why
    assert why is not None
    assert (why.fields["expected"], why.fields["found"]) == (fingerprint(HOST_KEY), fingerprint(OTHER_KEY))


def test_an_agent_that_is_down_and_a_refused_key_are_two_things(reachable: TwoAgents) -> None:
    reachable.a.wiring.peer_now.lost.add(Greet)
    assert tried(reachable.a) == (ALL_STEPS[:6], "peer-silent")

    class Refusing:
        def greet(self, _greeting: Greeting, _seconds: float) -> Greeting:
            raise PeerRefused(message("peer-key-refused", server="192.0.2.2"))

        def close(self) -> None:
            pass

    reachable.a.wiring.peer_now = Refusing()
    reachable.a.agent.reload()
    assert tried(reachable.a) == (ALL_STEPS[:5], "peer-key-refused")


def test_a_standby_of_another_active_is_told(reachable: TwoAgents) -> None:
    reachable.b.store.adopt(grant(9, B, 2))
    assert tried(reachable.a)[1] == "standby-has-other-active"


# --- coverage (B4) --------------------------------------------------------------------------------------


def test_what_stays_behind_is_found_on_the_active_and_told_as_one_finding(paired: TwoAgents) -> None:
    paired.a.wiring.profile = msgspec.structs.replace(paired.a.wiring.profile, watch=("/var/lib/pbx",))
    paired.a.wiring.watched_folders.found = (
        Found(path="/var/lib/pbx/own/a", size=7),
        Found(path="/var/lib/pbx/own/b", size=8),
    )
    paired.a.agent.reload()
    assert cast("Coverage", paired.a.ask(GetCoverage())).at is None
    paired.a.agent.coverage.look()
    answer = cast("Coverage", paired.a.ask(GetCoverage()))
    assert [(each.path, each.files, each.bytes, each.why) for each in answer.uncovered] == [
        ("/var/lib/pbx", 2, 15, "no-tree")
    ]
    assert findings(paired.a).count("not-covered") == 1
    assert cast("Coverage", paired.b.ask(GetCoverage())).at is None


def test_nobody_looks_on_the_standby_nor_all_the_time(paired: TwoAgents) -> None:
    looks = paired.a.wiring.watched_folders
    for _ in range(3):
        paired.a.agent.coverage.tick()
        paired.b.agent.coverage.tick()
        paired.a.agent.coverage.wait(5.0)
    assert (looks.looks, paired.b.wiring.watched_folders.looks) == (1, 0)
    paired.clock.advance(3601)
    paired.a.agent.coverage.tick()
    paired.a.agent.coverage.wait(5.0)
    assert looks.looks == 2


def test_a_look_that_meets_a_bug_is_told_and_the_next_one_follows(
    paired: TwoAgents, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    looks = paired.a.wiring.watched_folders

    def servers() -> tuple[str, ...]:
        raise ZeroDivisionError

    monkeypatch.setattr(looks, "servers", servers)
    paired.a.agent.coverage.tick()
    paired.a.agent.coverage.wait(5.0)
    assert "internal-error" in capfd.readouterr().err
    paired.clock.advance(3601)
    paired.a.agent.coverage.tick()
    paired.a.agent.coverage.wait(5.0)
    assert looks.looks == 2


# --- facts of the takeover page (S3, S20) ------------------------------------------------------------------


def test_the_plan_tells_lines_what_to_replug_and_the_network(paired: TwoAgents) -> None:
    paired.a.ask(SetConfig(config=paired.a.config(replug=("ISDN 1",))))
    paired.a.agent.link.turn()
    paired.b.wiring.lines.named = ("provider (sip:sip.example.org)",)
    paired.b.machine.gateway = "192.0.2.253"
    paired.clock.advance(2)
    paired.a.off()
    plan = cast("TakeoverPlanAnswer", paired.b.ask(PlanTakeover()))
    assert plan.lines == ("provider (sip:sip.example.org)",)
    assert plan.replug == ("ISDN 1",)
    assert "replug-first" in {each.code for each in plan.findings}
    told = {each.code: each.fields for each in plan.network}
    assert told["will-take-address"] == {"address": "192.0.2.10", "prefix": 32, "interface": "eth0"}
    assert told["will-use-gateway"] == {"gateway": "192.0.2.253"}
    assert "gateways-differ" in told


# --- the module's own log (S8) ----------------------------------------------------------------------------


def test_the_log_is_read_by_level_and_text(paired: TwoAgents) -> None:
    kept = paired.a.wiring.module_log
    set_level("info")
    keep_lines(kept.keep)
    try:
        log("first", host="pbx-a")
        log("second", "warning", host="pbx-b")
        log("third", "debug")
    finally:
        keep_lines(None)

    def read(**what: Any) -> list[str]:
        answer = cast("LogLines", paired.a.ask(ReadModuleLog(**what)))
        return [each.message.code for each in answer.lines]

    assert read() == ["second", "first"]
    assert read(level="warning") == ["second"]
    assert read(contains="PBX-A") == ["first"]
    assert read(limit=1) == ["second"]
    assert code(paired.a, ReadModuleLog(level="loud")) == "log-level-unknown"


def test_nothing_of_the_licences_is_in_what_travels(paired: TwoAgents) -> None:
    """Licences are identity: no pair setting carries a set, and no tree a place where one is kept."""
    keys = {each.key for each in paired.a.store.licences().licences}
    settings = msgspec.json.encode(paired.a.store.settings()).decode()
    assert not any(each in settings for each in keys)
    profile = paired.a.agent.node.profile
    assert all(
        profile.is_identity(each) for each in ("/var/lib/beistand/state.db", "/etc/beistand/sellers.d/x.pub")
    )
