"""`beistand setup` under all network managers: confirmed, not confirmed, undone, killed, power cut."""

from __future__ import annotations

from beistand_lab.settings import MANAGERS
from beistand_lab.system_calls import Point
from e2e.setting_up import Machine, unheard_of
from e2e.switching import wait_for_state
from torture.labs import lab
from torture.run import Run

THOROUGH = MANAGERS[0]
"""Under this one the agent is killed at every call, under the others at every tenth: only the file differs."""
CUTS_EACH = 8
"""Of so many points at which the agent is killed, the power is cut at one."""
CONFIRM_SECONDS = 120.0


def campaign(run: Run) -> None:
    for manager in MANAGERS:
        run.say(f"  {manager}:")
        with run.case(f"{manager}: boot the lab"), lab("setup", manager=manager) as booted:
            machine = Machine(booted, manager)
            machine.begin()
            machine.register()
            _unheard_of(run, machine)
            _unconfirmed(run, machine)
            _power_cuts(run, machine)
            every = run.every * (1 if manager == THOROUGH else 10)
            _kills(run, machine, every)
            _uninstalled(run, machine)


def _unheard_of(run: Run, machine: Machine) -> None:
    """Confirmed and taken back, at once and after a reboot."""
    figures: dict[str, dict[str, float]] = {}
    with run.case(f"{machine.manager}: set up while a call goes on"):
        with unheard_of(machine) as figures["setup"]:
            machine.start()
            machine.assert_set_up()
            assert machine.confirm()["stage"] == "confirmed"
        run.recovered()
    with run.case(f"{machine.manager}: undo while a call goes on"):
        with unheard_of(machine) as figures["undo"]:
            machine.undo()
        machine.assert_as_before()
        run.recovered()
    run.say(f"    longest silence in seconds: {figures}")
    with run.case(f"{machine.manager}: a confirmed setup survives a power cut, and is undone later"):
        machine.start()
        assert machine.confirm()["stage"] == "confirmed"
        run.injected()
        machine.cut_power()
        wait_for_state(machine.administrator, "a", "serving")
        machine.assert_set_up()
        machine.undo()
        machine.assert_as_before()
        machine.cut_power()
        machine.assert_as_before()
        run.recovered()


def _unconfirmed(run: Run, machine: Machine) -> None:
    with run.case(f"{machine.manager}: nobody confirms"):
        with unheard_of(machine) as figures:
            machine.start()
            run.injected()
            machine.wait_for_stage("undone", seconds=CONFIRM_SECONDS + 60)
        machine.assert_as_before()
        assert machine.set_up("--state")["why"]["code"] == "setup-unconfirmed"
        run.recovered()
        run.say(f"    longest silence in seconds, with the automatic way back: {figures}")


def _power_cuts(run: Run, machine: Machine) -> None:
    with run.case(f"{machine.manager}: power cut while it waits"):
        machine.start()
        run.injected()
        machine.cut_power()
        machine.wait_for_stage("undone")
        machine.assert_as_before()
        run.recovered()


def _uninstalled(run: Run, machine: Machine) -> None:
    """The last: Beistand is gone, and the machine as it was before it came."""
    with run.case(f"{machine.manager}: uninstalled while a call goes on"):
        machine.end_at_the_begin()
        machine.start()
        assert machine.confirm()["stage"] == "confirmed"
        with unheard_of(machine):
            machine.uninstall()
        machine.assert_network_as_before()
        run.recovered()


def _kills(run: Run, machine: Machine, every: int) -> None:
    """Kill the agent at the calls of a setup, then at those of an undo; cut the power at some."""
    points: list[Point] = []
    with run.case(f"{machine.manager}: list the points of a setup"):
        points = machine.points(machine.start)
        machine.undo()
        machine.assert_as_before()
    run.say(f"    {len(points)} points of a setup, each {every}. is taken")
    for number, point in enumerate(points[::every]):
        with run.case(f"{machine.manager}: setup killed at {point}"):
            if machine.killed(point, machine.try_start, power=number % CUTS_EACH == 0):
                run.injected()
            machine.end_at_the_begin()
            run.recovered()
    points = []
    with run.case(f"{machine.manager}: list the points of an undo"):
        machine.start()
        assert machine.confirm()["stage"] == "confirmed"
        points = machine.points(machine.undo)
        machine.assert_as_before()
    run.say(f"    {len(points)} points of an undo, each {every}. is taken")
    for number, point in enumerate(points[::every]):
        with run.case(f"{machine.manager}: undo killed at {point}"):
            machine.end_at_the_begin()
            machine.start()
            assert machine.confirm()["stage"] == "confirmed"
            if machine.killed(point, machine.try_undo, power=number % CUTS_EACH == 0):
                run.injected()
            machine.end_at_the_begin()
            run.recovered()
