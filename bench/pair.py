"""Two paired appliances in a lab of their own, for as long as a measurement lasts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from beistand_lab.demo.administrator import Administrator
from beistand_lab.demo.after import plan_of_a_dead_active
from beistand_lab.errors import LabError
from beistand_lab.house import House
from beistand_lab.lab import Lab, wait_for


@dataclass(frozen=True, kw_only=True)
class Where:
    """The lab that the benchmarks may use: one at a time."""

    name: str
    subnet: str


@contextmanager
def paired(where: Where, *, house: House | None = None, **sizes: str) -> Iterator[Administrator]:
    """Give a fresh lab with the active serving and both sides paired; taken away afterwards."""
    lab = Lab.up(where.name, where.subnet, house=house, **sizes)  # type: ignore[arg-type]  # disk_size and spool_size
    try:
        administrator = Administrator(lab)
        for host in ("a", "b"):
            wait_for(lambda host=host: _agent_is_up(lab, host), 60, f"the agent of {host}")  # type: ignore[misc]
        administrator.initialise()
        with lab.sip_probe(lab.settings.service_address) as probe:
            probe.first_answer(time.time(), 60)
        done = administrator.pair()
        if done.returncode != 0:
            raise LabError(f"beistand pair: {done.stderr}")
        administrator.run("a", "config", "set", f"licence_key={administrator.status('a')['licence_key']}")
        yield administrator
    finally:
        lab.down()


def cycle(administrator: Administrator) -> None:
    """Run `beistand cycle` to its end. Raises LabError unless the generation was imported."""
    answer = administrator.ask("a", "cycle", timeout=900)
    if answer.get("state") != "done":
        raise LabError(f"beistand cycle: {answer}")


def confirmed(administrator: Administrator) -> dict[str, Any]:
    """Look at the plan of a standby whose active is dead, accept what it asks, and take over; return the result."""
    plan = plan_of_a_dead_active(administrator)
    accept = [word for each in plan["findings"] for word in ("--accept", each["code"])]
    answer = administrator.ask("b", "takeover", "--confirm", plan["digest"], *accept)
    if answer.get("state") != "done":
        raise LabError(f"beistand takeover: {answer}")
    result: dict[str, Any] = answer["result"]
    return result


def _agent_is_up(lab: Lab, host: str) -> bool:
    return lab.sh(host, ["systemctl", "is-active", "beistand-agent"], check=False).stdout.strip() == "active"
