"""The wrong window: who makes a standby of the PBX in use is shown its calls first, and there is a way back."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from beistand.agent.ending_calls import ENDS_CALLS, UNKNOWN
from beistand.domain.errors import BeistandError
from beistand.domain.pair import Pair
from beistand.domain.profile import Console
from beistand.domain.role import Role, Side
from beistand.protocol import ConfirmSetup, Init, RetryService, UndoInit
from fakes.agents import TwoAgents
from fakes.joined_appliance import Appliance
from fakes.pair_of_appliances import UNITS
from fakes.setting_up import ASKED, OWN, PATH, PRESENT, TEXT
from fakes.situations import NOW, B, appliance

CONSOLE = Console(socket="/run/asterisk/asterisk.ctl", calls="core show calls")


@pytest.fixture
def made(tmp_path: Path) -> Any:
    one = Appliance(tmp_path)
    joined = one.joined
    joined.profile = msgspec.structs.replace(joined.profile, console=CONSOLE)
    body = TEXT.replace(PRESENT, OWN).encode()
    joined.files.files[PATH] = msgspec.structs.replace(joined.files.files[PATH], body=body)
    joined.live.there[:] = [f"{OWN}/24"]
    joined.machine.own_ip = OWN
    joined.services.enabled = set(UNITS)
    yield one
    one.agent.keeper.stop()


def says(made: Appliance, calls: int | None, phones: int = 0) -> None:
    console = made.wiring.console
    console.is_silent = calls is None
    console.answers["core show calls"] = f"{calls} active calls\n4711 calls processed\n"
    made.wiring.contacts.uris = tuple(f"sip:{each}@192.0.2.5{each}" for each in range(phones))


def standby(*accept: str) -> Init:
    return Init(
        role=Role.STANDBY,
        interface="eth0",
        own_address=f"{OWN}/24",
        service_address=PRESENT,
        profile="asterisk",
        accept=accept,
    )


@pytest.mark.parametrize(
    ("calls", "phones", "told"),
    [(3, 0, (3, 0)), (0, 2, (0, 2)), (1, 2, (1, 2)), (None, 0, (UNKNOWN, 0))],
)
def test_a_pbx_in_use_is_not_stopped_unasked(made: Appliance, calls: Any, phones: int, told: Any) -> None:
    says(made, calls, phones)
    with pytest.raises(BeistandError, match=ENDS_CALLS) as refused:
        made.ask(standby())
    fields = refused.value.message.fields
    assert (fields["calls"], fields["phones"]) == told
    made.agent.keeper.tick()
    assert made.joined.services.running >= UNITS
    assert not made.wiring.store.is_initialised()
    assert not (made.wiring.places.etc / "installation.toml").exists()


def test_with_the_word_it_is(made: Appliance) -> None:
    says(made, 3)
    made.ask(standby(ENDS_CALLS))
    made.agent.keeper.tick()
    assert made.joined.services.running == set()


@pytest.mark.parametrize("is_running", [True, False])
def test_a_pbx_that_nobody_uses_needs_no_word(made: Appliance, is_running: bool) -> None:
    says(made, 0)
    if not is_running:
        made.joined.services.running = set()
    made.ask(standby())
    assert made.wiring.store.is_initialised()


def test_an_active_keeps_its_calls_and_is_not_asked(made: Appliance) -> None:
    says(made, 3, 5)
    made.ask(msgspec.structs.replace(standby(), role=Role.ACTIVE))
    made.agent.keeper.settle()
    assert made.joined.services.running >= UNITS


def test_the_undo_gives_the_pbx_back(made: Appliance) -> None:
    says(made, 3)
    made.ask(standby(ENDS_CALLS))
    made.agent.keeper.tick()
    made.ask(UndoInit())
    assert not made.wiring.store.is_initialised()
    assert not (made.wiring.places.etc / "installation.toml").exists()
    assert made.joined.services.running >= UNITS
    assert not made.joined.services.has_gates
    assert made.joined.services.enabled == UNITS
    assert made.refusal(UndoInit()) == "not-initialised"
    made.ask(standby(ENDS_CALLS))  # and it can be made one again


def test_the_undo_of_an_active_that_serves_phones_is_refused(made: Appliance) -> None:
    made.ask(msgspec.structs.replace(standby(), role=Role.ACTIVE))
    made.agent.keeper.settle()
    says(made, 0, 2)
    assert made.refusal(UndoInit()) == "undo-init-serves"
    says(made, 0, 0)
    made.ask(UndoInit())
    assert PRESENT not in [each.split("/")[0] for each in made.joined.live.there]
    assert made.joined.services.running >= UNITS


def test_the_undo_of_a_pair_or_of_a_setup_has_its_own_command(made: Appliance) -> None:
    made.ask(standby(ENDS_CALLS))
    pair = Pair(id="0" * 32, peer=appliance(B), peer_host_key="", side=Side.ODD, since=NOW)
    made.wiring.store.set_pair(pair)
    assert made.refusal(UndoInit()) == "undo-init-paired"


def test_a_setup_is_taken_back_as_a_setup(tmp_path: Path) -> None:
    one = Appliance(tmp_path)
    one.ask(ASKED)
    one.ask(ConfirmSetup(reached=OWN, at_console=False))
    assert one.refusal(UndoInit()) == "undo-init-of-setup"
    one.agent.keeper.stop()


def test_a_retry_without_a_grant_says_that_nothing_is_started(two: TwoAgents) -> None:
    two.turns(2)
    with pytest.raises(BeistandError, match="retry-without-grant"):
        two.b.ask(RetryService())
    two.a.ask(RetryService())
