"""`beistand setup` as a whole agent does it: its verbs, its deadline, and what a restart makes of it."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from beistand.agent.caller import Caller
from beistand.domain.account import AccountRole
from beistand.domain.errors import BeistandError
from beistand.domain.role import Role
from beistand.protocol import (
    ConfirmSetup,
    FetchHostKey,
    GetSetup,
    GetStatus,
    Init,
    PlanSetup,
    SetupView,
    StartPair,
    StartSetup,
    Status,
    UndoSetup,
)
from fakes.joined_appliance import Appliance
from fakes.setting_up import ASKED, OWN, PRESENT

PAIR = StartPair(server="192.0.2.2", user="root", password="x", host_key="k")


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[Appliance]:
    made = Appliance(tmp_path)
    yield made
    made.agent.keeper.stop()


def test_it_waits_counts_down_and_is_confirmed_over_the_new_address(appliance: Appliance) -> None:
    assert appliance.ask(PlanSetup(own_address=OWN)).own_address == f"{OWN}/24"
    appliance.assert_as_before()
    assert appliance.ask(ASKED).seconds_left == 120.0
    assert "setup-waits" in appliance.findings()
    assert appliance.choices() == ["confirm-setup", "undo-setup", "let-setup-lapse"]
    appliance.joined.clock.advance(100)
    assert appliance.ask(GetSetup()).seconds_left == 20.0
    assert appliance.refusal(ConfirmSetup(reached=PRESENT)) == "setup-confirm-elsewhere"
    assert appliance.refusal(ConfirmSetup(reached="")) == "setup-confirm-from-console"
    assert appliance.ask(ConfirmSetup(reached=OWN)).stage == "confirmed"
    appliance.joined.clock.advance(1000)
    appliance.agent.network_setup.tick()
    assert appliance.stage() == "confirmed"
    assert set(appliance.joined.live.there) == {f"{OWN}/24", f"{PRESENT}/32"}
    assert not {"setup-waits", "setup-undone"} & appliance.findings()
    assert appliance.choices() == []
    appliance.ask(UndoSetup())
    appliance.assert_as_before()


def test_a_look_of_the_main_loop_refuses_nobody(appliance: Appliance) -> None:
    """It holds the lock for a moment, and a person's confirmation came in that moment."""
    appliance.ask(ASKED)
    acting, holds, never = appliance.agent.network_setup._acting, Event(), Event()

    def look() -> None:
        with acting:
            holds.set()
            never.wait(0.1)

    looking = Thread(target=look)
    looking.start()
    assert holds.wait(5)
    assert appliance.ask(ConfirmSetup(reached=OWN)).stage == "confirmed"
    looking.join()


def test_another_act_refuses(appliance: Appliance) -> None:
    appliance.ask(ASKED)
    acting, holds, ends = appliance.agent.network_setup._acting, Event(), Event()

    def act() -> None:
        with acting:
            holds.set()
            ends.wait(30)

    acts = Thread(target=act)
    acts.start()
    assert holds.wait(5)
    assert appliance.refusal(ConfirmSetup(reached=OWN)) == "setup-under-way-elsewhere"
    ends.set()
    acts.join()


def test_a_setup_that_is_done_claims_nothing_any_more(appliance: Appliance) -> None:
    """The standby that it is paired with later would add nothing for as long as the claim stands."""
    appliance.ask(ASKED)
    assert appliance.agent.keeper.is_serving
    assert appliance.agent.keeper.claims == 0


def test_only_root_may_say_that_he_sits_at_the_machine(appliance: Appliance) -> None:
    appliance.ask(ASKED)
    anna = Caller(uid=33, user="beistand-web", account="anna", role=AccountRole.ADMINISTRATOR)
    request = ConfirmSetup(reached="", at_console=True)
    with pytest.raises(BeistandError) as told:
        appliance.agent.network_setup.confirm(request, anna)
    assert told.value.message.code == "setup-confirm-from-console"
    assert appliance.ask(request).stage == "confirmed"


def test_nobody_pairs_and_nobody_begins_again_before_it_is_confirmed(appliance: Appliance) -> None:
    appliance.ask(ASKED)
    assert appliance.refusal(PAIR) == "setup-not-confirmed"
    assert appliance.refusal(ASKED) == "already-initialised"
    appliance.ask(ConfirmSetup(reached=OWN))
    assert appliance.refusal(FetchHostKey(server="192.0.3.1")) != "setup-not-confirmed"
    assert appliance.refusal(ASKED) == "already-initialised"


def test_after_two_minutes_everything_goes_back_and_it_may_begin_again(appliance: Appliance) -> None:
    appliance.ask(ASKED)
    appliance.joined.clock.advance(121)
    assert appliance.refusal(ConfirmSetup(reached=OWN)) == "setup-not-waiting"
    appliance.agent.network_setup.tick()
    appliance.assert_as_before()
    assert "setup-undone" in appliance.findings()
    assert appliance.ask(GetSetup()).why.code == "setup-unconfirmed"
    assert appliance.ask(ASKED).stage == "waiting"


def test_an_agent_that_is_killed_meanwhile_goes_on_counting(appliance: Appliance) -> None:
    appliance.ask(ASKED)
    appliance.joined.clock.advance(60)
    appliance.start_agent()
    assert appliance.ask(GetSetup()).seconds_left == 60.0
    assert appliance.agent.is_initialised
    appliance.joined.clock.advance(61)
    appliance.agent.network_setup.tick()
    appliance.assert_as_before()


def test_a_boot_before_anybody_confirmed_takes_it_back(appliance: Appliance) -> None:
    appliance.ask(ASKED)
    appliance.boot()
    appliance.assert_as_before()
    assert appliance.ask(GetSetup()).why.code == "setup-rebooted"
    assert not appliance.agent.is_initialised


def test_a_boot_that_takes_it_back_lets_the_address_speak_again(appliance: Appliance) -> None:
    """The gate was shut before the network; the address is the machine's own again."""
    appliance.ask(ASKED)
    appliance.joined.machine.silenced.add(PRESENT)
    appliance.boot()
    appliance.assert_as_before()
    assert appliance.joined.machine.silenced == set()


def test_a_boot_after_it_was_confirmed_changes_nothing(appliance: Appliance) -> None:
    appliance.ask(ASKED)
    appliance.ask(ConfirmSetup(reached=OWN))
    appliance.boot()
    assert appliance.stage() == "confirmed"
    assert appliance.joined.live.there == [f"{OWN}/24"]  # the boot check comes first
    assert appliance.agent.is_initialised


def test_a_manager_that_does_not_obey_is_told_and_nothing_stays(appliance: Appliance) -> None:
    appliance.joined.fails = "forgets"
    code = appliance.refusal(StartSetup(own_address=OWN))
    assert code == "setup-failed"
    assert "setup-undo-fails" in appliance.findings()
    appliance.joined.fails = ""
    appliance.joined.clock.advance(11)
    appliance.agent.network_setup.tick()
    appliance.assert_as_before()
    assert "setup-undo-fails" not in appliance.findings()


@pytest.fixture
def stuck(appliance: Appliance) -> Appliance:
    """Nobody confirmed, the machine was switched off meanwhile, and the PBX does not come up again."""
    appliance.ask(ASKED)
    appliance.joined.services.broken = set(appliance.joined.services.running)
    appliance.boot()
    return appliance


def test_a_way_back_without_telephones_says_so(stuck: Appliance) -> None:
    status: Status = stuck.ask(GetStatus())
    assert not status.initialised
    assert [each.code for each in status.findings] == ["setup-undo-fails", "setup-undoing"]
    assert "setup-pbx-not-started" in str(status.findings[0].fields["why"])
    assert [each.command for each in status.choices] == ["beistand setup --undo"]
    view: SetupView = stuck.ask(GetSetup())
    assert (view.stage, view.trouble and view.trouble.code) == ("undoing", "setup-undo-fails")


def test_nobody_begins_on_a_machine_that_still_goes_back(stuck: Appliance) -> None:
    """The next try of the way back would take away what he made."""
    asked = Init(
        role=Role.ACTIVE,
        interface="eth0",
        own_address=f"{PRESENT}/24",
        service_address="192.0.2.11",
        profile="asterisk",
        language="en",
    )
    assert stuck.refusal(asked) == "setup-undoing"
    assert stuck.refusal(ASKED) == "setup-undoing"
    stuck.joined.services.broken = set()
    stuck.joined.clock.advance(11)
    stuck.agent.network_setup.tick()
    stuck.assert_as_before()
    assert stuck.ask(GetSetup()).trouble is None


def test_a_restart_amid_a_way_back_that_fails_tells_that_and_nothing_else(appliance: Appliance) -> None:
    """The settings are gone by then: that they are missing is the setup's own doing."""
    appliance.ask(ASKED)
    appliance.joined.fails = "forgets"
    appliance.boot()
    status: Status = appliance.ask(GetStatus())
    assert status.state == "not-initialised"
    assert [each.code for each in status.findings] == ["setup-undo-fails", "setup-undoing"]
    appliance.joined.fails = ""
    appliance.joined.clock.advance(11)
    appliance.agent.network_setup.tick()
    appliance.assert_as_before()
