"""Boots under five network managers: old actives, both in any order, a slow switch, a helpful hand (F19, F20)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from beistand_lab.lab import Lab, down
from beistand_lab.settings import MANAGERS
from e2e import booting, switching
from torture.run import Run

NAME, SUBNET = "torture-boots", "10.77.120.0/24"


def campaign(run: Run) -> None:
    """Every manager with every boot, every order of two boots, and then random ones."""
    for manager in MANAGERS[:: run.every]:
        with _scene(run, manager) as scene:
            _case(run, f"{manager}: its standby agrees", _its_standby_agrees, scene)
            scene.take_over()
            for name, boot in booting.BOOTS.items():
                _case(run, f"{manager}: {name}", boot, scene)
            _case(run, f"{manager}: address in a network file", booting.address_in_a_network_file, scene)
    with _scene(run, "networkmanager,ifupdown") as scene:
        scene.take_over()
        for name, order in booting.TOGETHER.items():
            _case(run, f"two boots: {name}", booting.both_boot, scene, order)
        while not run.is_over:
            order = _random(run)
            _case(run, f"two boots: {order}", booting.both_boot, scene, order)


def _case(run: Run, name: str, act: Callable[..., None], *given: object) -> None:
    with run.case(name):
        run.injected()
        act(*given)
        run.recovered()


def _its_standby_agrees(scene: booting.Scene) -> None:
    """Before any takeover: a loses its power and serves again, verified, and the standby claims nothing."""
    scene.power("a", on=False)
    begin = scene.boot("a")
    scene.wait_for_state("a", "serving")
    switching.assert_call_works(scene.lab)
    scene.assert_never_claimed("b", begin)


def _random(run: Run) -> booting.Order:
    pick = run.random
    return booting.Order(
        first=pick.choice("ab"),
        gap=round(pick.choice((pick.uniform(0, 3), pick.uniform(0, 40), pick.uniform(100, 160))), 2),
        dead=(
            round(pick.choice((0, pick.uniform(0, 60))), 2),
            round(pick.choice((0, pick.uniform(0, 60))), 2),
        ),
        carrier=pick.random() < 0.5,
    )


@contextmanager
def _scene(run: Run, manager: str) -> Iterator[booting.Scene]:
    run.say(f"  {manager}")
    down(NAME)
    try:
        yield booting.Scene(Lab.up(NAME, SUBNET, manager=manager))
    finally:
        down(NAME)
