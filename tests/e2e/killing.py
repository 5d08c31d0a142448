"""One operation after the other, killed at one point of it, recovered twice, and looked at from outside (F1)."""

from __future__ import annotations

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

from beistand.protocol import PlanTakeover, StartTakeover, TakeoverPlanAnswer
from beistand_lab.following import UNIT, Following, How, agent_process
from beistand_lab.lab import Lab, wait_for
from beistand_lab.system_calls import Point
from e2e.asking import (
    ACT_SECONDS,
    IDLE,
    SERVING,
    SOON_SECONDS,
    ask,
    followed,
    status,
    wait_for_state,
    wait_until_connected,
)
from e2e.outside import View, assert_same, assert_whole, look

Harm = Callable[[list[dict[str, Any]]], None]
"""Acts on the disk of an appliance without power, by what its agent had done (`beistand_lab.recording`)."""
LATE_SECONDS = 2.0
"""What an operation brings about after its answer still belongs to it: the peer is told, a mail is written."""
_DROP_IN = f"/run/systemd/system/{UNIT}.service.d/stops-itself.conf"
_STOPS_ITSELF = """[Service]
ExecStart=
ExecStart=/bin/sh -c 'kill -STOP $$$$; exec /opt/beistand/bin/beistand agent'
"""


class Killing(ABC):
    """An operation of a pair that can be repeated for as often as there are points to kill it at."""

    name: str
    variant = ""
    """Which of several forms of the operation is prepared: they come by different points."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.was_off = False
        """The victim had no power in between: its PBX is another process than before."""

    @property
    @abstractmethod
    def victim(self) -> str:
        """The host whose agent dies."""

    @abstractmethod
    def prepare(self) -> None:
        """Bring the pair to where the operation can begin."""

    @abstractmethod
    def act(self) -> bool:
        """Do it, to the end or until the agent dies; tell whether it was done."""

    @abstractmethod
    def check(self, view: View) -> None:
        """Look at the pair after the recovery: one of the two ends, whole."""

    # --- how it is done -------------------------------------------------------------------------

    def listed(self, *, everything: bool = False) -> list[Point]:
        """Do what is prepared under the tracer; return its calls that change something, in their order."""
        self.was_off = False
        with self.following(How(everything=everything)) as following:
            assert self.act(), f"{self.name} does not work"
            settled(following)
        self.wait_until_settled()
        self.check(look(self.lab, self.victim))
        return following.points()

    def struck(self, point: Point) -> bool:
        """Kill what is prepared there, recover twice, look; False where this run did not come by the point."""
        self.was_off = False
        with self.following(How(kill=point)) as following:
            is_done = self.act()
            limit = LATE_SECONDS if is_done else SOON_SECONDS
            following.met.wait(limit)
            was_met = following.met.is_set()
            if was_met:
                assert following.gone.wait(SOON_SECONDS), "killed, and not gone"
        if not was_met:
            assert is_done, f"{self.name} failed although nothing was injected"
            return False
        self.recovered()
        return True

    def recovered(self) -> None:
        """The agent is started, killed, started; after each time everything is at one of the two ends."""
        once = self._recovered_once()
        self.lab.sh(self.victim, ["systemctl", "kill", "--kill-whom=main", "--signal=SIGKILL", UNIT])
        again = self._recovered_once()
        assert_same(once, again)

    def cut_off(self, point: Point, harm: Harm | None = None) -> bool:
        """Pull the victim's power cord while it stands there, and once more after it came back.

        The lab's disks lose nothing by that; `harm` takes from them what was not synced yet.
        """
        with self.following(How(stop=point, records=harm is not None)) as following:
            acting = Thread(target=self.act, daemon=True)
            acting.start()
            wait_for(lambda: following.met.is_set() or not acting.is_alive(), SOON_SECONDS, "the point")
            was_met = following.met.wait(LATE_SECONDS)
            if was_met:
                self.lab.off(self.victim)
        acting.join(ACT_SECONDS)
        self.was_off = was_met
        if was_met and harm is not None:
            harm(following.journal)
        if was_met:
            once = self._booted_once()
            self.lab.off(self.victim)
            assert_same(once, self._booted_once(), but=("pbx",))
        return was_met

    def _booted_once(self) -> View:
        self.lab.on(self.victim)
        return self._looked_at()

    def _recovered_once(self) -> View:
        revive(self.lab, self.victim)
        return self._looked_at()

    def _looked_at(self) -> View:
        self.wait_until_settled()
        view = look(self.lab, self.victim)
        assert_whole(view)
        self.check(view)
        return view

    @abstractmethod
    def wait_until_settled(self) -> None:
        """Until the recovered agent has come to a state that stays."""

    def following(self, how: How) -> Following:
        return Following(self.lab, self.victim, how)


def settled(following: Following, seconds: float = 0.5) -> None:
    """Wait until the followed agent has been quiet about files for so long: what follows is background."""
    end, count = time.monotonic() + seconds, -1

    def is_quiet() -> bool:
        nonlocal end, count
        now = sum("/" in each for each in [*following.calls])
        if now != count:
            end, count = time.monotonic() + seconds, now
        return time.monotonic() >= end

    wait_for(is_quiet, SOON_SECONDS, "the agent to have nothing more to write")


def revive(lab: Lab, host: str) -> None:
    """Start the agent that died: what systemd does a second later (RestartSec=)."""
    lab.sh(host, ["systemctl", "restart", UNIT], timeout=SOON_SECONDS)


class Takeover(Killing):
    """A takeover by the one that stands by, while the other lives and releases; then the other way round."""

    name = "takeover"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self._taker, self._giver = "b", "a"

    @property
    def victim(self) -> str:
        return self._taker

    def prepare(self) -> None:
        wait_until_connected(self.lab)
        serving = [
            host for host in ("a", "b") if (found := status(self.lab, host)) and found.state in SERVING
        ]
        assert len(serving) == 1, f"{serving} serve"
        self._taker, self._giver = ("b", "a") if serving == ["a"] else ("a", "b")
        wait_for_state(self.lab, self._taker, *IDLE)
        self._epoch = look(self.lab, self._taker).grant["epoch"]
        shown = ask(self.lab, self._taker, PlanTakeover(), TakeoverPlanAnswer)
        accept = tuple(each.code for each in shown.findings)
        self._click = StartTakeover(digest=shown.digest, accept=accept, operator="torture")

    def act(self) -> bool:
        return followed(self.lab, self._taker, self._click)

    def wait_until_settled(self) -> None:
        def is_settled() -> bool:
            states = {host: found.state for host in ("a", "b") if (found := status(self.lab, host))}
            seen[:] = [states]
            mine, theirs = states.get(self._taker), states.get(self._giver)
            return (mine in SERVING and theirs in IDLE) or (mine in IDLE and theirs in SERVING)

        seen: list[dict[str, str]] = []
        wait_for(is_settled, SOON_SECONDS, f"exactly one of the two to serve: {seen}")
        wait_until_connected(self.lab)

    def check(self, view: View) -> None:
        other = look(self.lab, "b" if self.victim == "a" else "a")
        views = {self.victim: view, ("b" if self.victim == "a" else "a"): other}
        for host, each in views.items():
            found = status(self.lab, host)
            serves = found is not None and found.state in SERVING
            assert each.holds == serves == bool(each.pbx) == each.gate, f"{host}: {found and found.state}"
            assert serves <= each.is_holder, f"{host} serves without a grant"
        assert view.grant == other.grant, "two grants, or one number with two holders"
        assert view.grant["epoch"] >= self._epoch


class Release(Takeover):
    """The other side of it: the one that serves is asked to release, and dies meanwhile."""

    name = "release"

    @property
    def victim(self) -> str:
        return self._giver


class Boot(Killing):
    """The start of an agent that has a grant, as after a boot: no address, no gate, no PBX, no note in /run."""

    name = "boot"
    victim = "a"

    def prepare(self) -> None:
        wait_for_state(self.lab, "a", *SERVING)
        wait_until_connected(self.lab)
        self._grant = look(self.lab, "a").grant
        # Its own kind of start: it stops itself before its first step, so that no call of it is missed.
        self.lab.sh("a", ["mkdir", "-p", _DROP_IN.rpartition("/")[0]])
        self.lab.copy_in("a", _DROP_IN, _STOPS_ITSELF)
        self.lab.sh("a", ["systemctl", "daemon-reload"])
        self.lab.sh("a", ["systemctl", "stop", UNIT])
        self.lab.sh("a", ["systemctl", "kill", "--signal=SIGKILL", "asterisk"], check=False)
        self.lab.sh("a", ["systemctl", "stop", "asterisk"])
        # As at a boot: the link comes up with what the network files say, and nothing else.
        self.lab.sh("a", ["ip", "address", "flush", "dev", "eth0"])
        self.lab.sh("a", ["networkctl", "reconfigure", "eth0"])
        wait_for(self._has_a_route, SOON_SECONDS, "the network")
        self.lab.sh("a", ["sh", "-c", "rm -f /run/beistand/*"])
        self.lab.sh("a", ["systemctl", "start", "--no-block", UNIT])
        wait_for(self._has_stopped_itself, SOON_SECONDS, "the agent to begin")
        # Only this start: the next one is the recovery.
        self.lab.sh("a", ["rm", _DROP_IN])
        self.lab.sh("a", ["systemctl", "daemon-reload"])

    def _has_a_route(self) -> bool:
        found = self.lab.sh("a", ["ip", "route", "get", self.lab.settings.address("b")], check=False)
        return f"src {self.lab.settings.address('a')}" in found.stdout

    def _has_stopped_itself(self) -> bool:
        pid = agent_process(self.lab, "a")
        with contextlib.suppress(OSError):
            return pid > 0 and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        return False

    def following(self, how: How) -> Following:
        return super().following(replace(how, stopped_itself=True))

    def act(self) -> bool:
        def is_over() -> bool:
            found = status(self.lab, "a")
            return agent_process(self.lab, "a") != self._begun or (
                found is not None and found.state in SERVING
            )

        self._begun = agent_process(self.lab, "a")
        wait_for(is_over, SOON_SECONDS, "the agent to serve, or to die")
        found = status(self.lab, "a")
        return found is not None and found.state in SERVING

    def wait_until_settled(self) -> None:
        wait_for_state(self.lab, "a", *SERVING)

    def check(self, view: View) -> None:
        assert view.serves, "it does not serve after the boot"
        assert view.grant == self._grant
        other = look(self.lab, "b")
        assert other.is_quiet, "the standby serves"
