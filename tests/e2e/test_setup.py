"""`beistand setup` on a machine whose PBX serves phones: nobody notices, and there is a way back."""

from __future__ import annotations

import pytest

from beistand_lab.lab import Lab
from e2e.setting_up import Machine, unheard_of

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def machine(lab: Lab) -> Machine:
    """Asterisk at the one address of appliance a, which 101 and 102 are registered at."""
    machine = Machine(lab, lab.settings.manager_of("a"))
    machine.begin()
    machine.register()
    return machine


def test_the_present_address_becomes_the_service_address_and_comes_back(machine: Machine) -> None:
    """Issue 4: no silence above half a second, the call goes on, and the undo leaves every byte as it was."""
    with unheard_of(machine):
        machine.start()
        machine.assert_set_up()
        elsewhere = machine.ssh(machine.present, "beistand", "setup", "--confirm", "--json")
        assert "setup-confirm-elsewhere" in elsewhere
        assert machine.set_up("--confirm")["error"]["code"] == "setup-confirm-from-console"
        assert machine.confirm()["stage"] == "confirmed"
        machine.undo()
    machine.assert_as_before()


@pytest.mark.shows("B6", "F1")
def test_a_power_cut_before_anybody_confirmed_takes_it_back(machine: Machine) -> None:
    machine.start()
    machine.cut_power()
    machine.wait_for_stage("undone")
    machine.assert_as_before()
    assert machine.set_up("--state")["why"]["code"] == "setup-rebooted"
