"""Every verdict of the evidence by its real cause: strangers, dead switches, hung and firewalled PBXs (F22 to F25)."""

from __future__ import annotations

from e2e import evidence, switching
from torture.labs import lab
from torture.run import Run


def campaign(run: Run) -> None:
    """Every scenario once, in an order that the seed gives: each begins with whoever serves."""
    scenarios = list(evidence.SCENARIOS.items())
    run.random.shuffle(scenarios)
    with lab("evidence") as booted:
        administrator = switching.prepare_pair(booted)
        for name, scenario in scenarios[:: run.every]:
            with run.case(name):
                scenario(administrator)
                run.injected()
                run.recovered()
