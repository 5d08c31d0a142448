"""A switch that breaks in two between the appliances, a click on the cut-off standby, and the healing (F21)."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import wait_for
from e2e import switching

FOLLOW_SECONDS = 1.0
"""After the healing, every client sends to the newer grant's server (F21)."""


@dataclass(frozen=True, kw_only=True)
class Healed:
    """What was measured at the switch; seconds after the cable that joins both sides was plugged in."""

    announced: float
    """The first claim of the newer server that passed."""
    followed: float
    """The phones' host knew the newer server's MAC, and went on knowing it."""
    withdrawn: float
    """The older server had the address no more."""


def split_and_take_over(administrator: Administrator, *, active: str = "a", standby: str = "b") -> None:
    """Break the switch in two and click on the cut-off side: a second confirmation, then both serve their side.

    The active is on the other side with the phones; gateway, standby and mail host see neither of them.
    """
    lab = administrator.lab
    lab.split(active, "t")
    shown = switching.plan_with_verdict(administrator, "partition", host=standby)
    answer = switching.confirm(administrator, shown, host=standby)
    assert answer["error"]["code"] == "not-accepted", answer
    assert answer["error"]["fields"]["finding"] == "partition-suspected"
    answer = switching.confirm(administrator, shown, *switching.questions(shown), host=standby)
    assert answer.get("state") == "done", answer
    for host in (active, standby):
        assert switching.serves(lab, host), host


def heal(administrator: Administrator, *, loser: str = "a", winner: str = "b") -> Healed:
    """Join the two sides, and measure until the newer grant's server alone has the address."""
    lab, service = administrator.lab, administrator.lab.settings.service_address
    mac = lab.settings.mac(winner)
    # One process each, that looks every ten milliseconds: a new one for each look would take longer than the healing.
    with (
        lab.popen("t", ["sh", "-c", _FOLLOWS.format(service=service)]) as follower,
        lab.popen(loser, ["sh", "-c", _FOLLOWS_OWN.format(service=service)]) as holder,
    ):
        assert follower.stdout is not None
        assert holder.stdout is not None
        # Both look by now: one that began later than the healing would see nothing of it.
        assert follower.stdout.readline()
        assert holder.stdout.readline()
        begin = lab.join()
        wait_for(lambda: not switching.has_address(lab, loser), switching.SOON_SECONDS, "the withdrawal")
        switching.wait_quietly(time.time() + 3)
        for each in (follower, holder):
            os.killpg(each.pid, signal.SIGKILL)
        seen = [line.split() for line in follower.stdout.read().splitlines()]
        held = [line.split() for line in holder.stdout.read().splitlines()]
    others = [float(at) for at, *known in seen if known != [mac]]
    holding = [float(at) for at, *is_there in held if is_there]
    first = next(each.time for each in switching.claims(lab, winner, begin))
    return Healed(
        announced=first - begin, followed=max(others, default=begin) - begin, withdrawn=max(holding) - begin
    )


_FOLLOWS = (
    "while :; do echo $(date +%s.%N) $(ip neighbour show {service} | sed -n 's/.*lladdr \\([^ ]*\\).*/\\1/p');"
    " sleep 0.01; done"
)
_FOLLOWS_OWN = (
    "while :; do echo $(date +%s.%N) $(ip -4 -oneline address show | grep -o ' {service}/'); sleep 0.01; done"
)
