"""A PBX that has one address, which its phones know, and what observers see while Beistand joins it."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any

from beistand_lab import appliance, calls, network_managers
from beistand_lab.demo.administrator import Administrator
from beistand_lab.errors import LabError
from beistand_lab.following import Following, How
from beistand_lab.lab import Lab, wait_for
from beistand_lab.settings import PHONES, PROJECT, ROOT_PASSWORD
from beistand_lab.silence import Question, longest_silence
from beistand_lab.system_calls import Point
from e2e import switching
from e2e.killing import Harm

SOON_SECONDS = 60.0
LATE_SECONDS = 2.0
"""A call that another thread of the agent makes may come so long after the act."""
MOST_SILENCE = 0.5
"""Seconds without an answer, at most, whatever a setup does (issue 4)."""
PERIOD = 0.02
APPLY = {
    "systemd-networkd": "networkctl reload",
    "ifupdown": "ifdown --force eth0; ifup --force eth0",
    "networkmanager": "nmcli connection reload && nmcli device reapply eth0",
    # `netplan apply` asks udev, which no container has.
    "netplan": "netplan generate && networkctl reload",
    "netplan-nm": "netplan generate && nmcli connection load "
    "/run/NetworkManager/system-connections/netplan-eth0.nmconnection && nmcli device reapply eth0",
}


@dataclass
class Machine:
    """Appliance a as it is before Beistand knows it: Asterisk, one address, phones that are registered there."""

    lab: Lab
    manager: str
    before: str = ""
    """The network file, with mode and owner, as the administrator made it."""
    look: str = ""
    """Addresses and routes as they were."""

    @property
    def administrator(self) -> Administrator:
        return Administrator(self.lab)

    @property
    def present(self) -> str:
        return self.lab.settings.service_address

    @property
    def own(self) -> str:
        return self.lab.settings.address("a")

    @property
    def file(self) -> str:
        return network_managers.file_of(self.manager)

    def network_file(self) -> str:
        return self.lab.sh("a", ["sh", "-c", f"stat -c '%a %u %g' {self.file}; cat {self.file}"]).stdout

    def network_look(self) -> str:
        """Addresses and routes, in an order of their own; lifetimes of none."""
        told = self.lab.sh("a", ["sh", "-c", "ip -4 -o address show eth0; ip -4 route"]).stdout
        lines = {" ".join(re.sub(r"\\.*", "", each).split()) for each in told.splitlines()}
        return "\n".join(sorted(lines))

    def begin(self) -> None:
        """Give a its one address, in the network file of its manager, and let the phones register there."""
        lab, comment = self.lab, "# kept as it is"
        lab.sh("a", ["ldconfig"])  # netplan finds its library by the cache, which no package made here
        lab.sh("a", ["sed", "-i", f"s|{self.own}/24|{self.present}/24|", self.file])
        lab.sh("a", ["sh", "-c", f"echo '{comment}' >> {self.file}"])
        lab.sh("a", ["sh", "-c", APPLY[self.manager]])
        wait_for(
            lambda: f"inet {self.present}/24" in self.network_look(), SOON_SECONDS, "the present address"
        )
        wait_for(lambda: f"inet {self.own}/24" not in self.network_look(), SOON_SECONDS, "no other address")
        lab.sh("a", ["systemctl", "start", "asterisk"])
        with lab.sip_probe(self.present) as probe:
            probe.first_answer(time.time(), SOON_SECONDS)
        self.before, self.look = self.network_file(), self.network_look()

    def cut_power(self) -> None:
        """Pull a's power cord, and switch it on again; returns when its agent runs."""
        self.lab.off("a")
        self.power_on()

    def power_on(self) -> None:
        appliance.switch_on(self.lab.settings, "a")
        wait_for(self._has_agent, SOON_SECONDS, "the agent after the boot")

    def _has_agent(self) -> bool:
        asked = ["systemctl", "is-active", "beistand-agent"]
        try:
            return self.lab.sh("a", asked, check=False).stdout.strip() == "active"
        except LabError:
            return False  # just after power on there is no first process to enter

    def register(self) -> None:
        for number in PHONES[:2]:
            self.lab.phone(number).register(seconds=SOON_SECONDS)

    def set_up(self, *words: str) -> dict[str, Any]:
        """Run `beistand setup` at a's console; its answer, whether it did or refused."""
        return self.administrator.ask("a", "setup", *words)

    def start(self) -> dict[str, Any]:
        answer = self.set_up("--own-address", self.own, "--yes")
        assert answer.get("stage") == "waiting", answer
        return answer

    def stage(self) -> str:
        answer = self.set_up("--state")
        if "error" in answer:
            raise LabError(str(answer["error"]))
        return str(answer["stage"])

    def ssh(self, address: str, *words: str) -> str:
        """Run a command on a over SSH from the mail host, as an administrator at his desk; its standard output."""
        options = [
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "LogLevel=ERROR",
        ]
        told = self.lab.settings.folder / "password"
        told.write_text(f"#!/bin/sh\necho {ROOT_PASSWORD}\n")
        told.chmod(0o700)
        asking = ["env", f"SSH_ASKPASS={told}", "SSH_ASKPASS_REQUIRE=force"]
        line = [*asking, "ssh", *options, f"root@{address}", *words]
        return self.lab.sh("m", line, check=False).stdout

    def confirm(self) -> dict[str, Any]:
        said = self.ssh(self.own, "beistand", "setup", "--confirm", "--json")
        answer: dict[str, Any] = json.loads(said)
        return answer

    def undo(self) -> None:
        answer = self.set_up("--undo", "--yes")
        assert answer.get("stage") == "undone", answer

    def try_start(self) -> None:
        """Start, with an agent that may die meanwhile."""
        self._try("--own-address", self.own, "--yes")

    def try_undo(self) -> None:
        self._try("--undo", "--yes")

    def _try(self, *words: str) -> None:
        with suppress(LabError):
            self.set_up(*words)

    def wait_for_stage(self, *stages: str, seconds: float = SOON_SECONDS) -> str:
        """Until the agent, which may just be starting, says that the setup is at one of these stages."""
        seen = [""]

        def is_there() -> bool:
            try:
                seen[0] = self.stage()
            except LabError:
                return False
            return seen[0] in stages

        wait_for(is_there, seconds, f"a stage of {stages}; it is {seen}")
        return seen[0]

    def end_at_the_begin(self) -> None:
        """After any interruption: let it come to rest, take back what is left, and see all of it as it was."""
        if self.wait_for_stage("", "undone", "waiting", "confirmed") in ("waiting", "confirmed"):
            switching.wait_for_state(self.administrator, "a", "serving", "unverified")
            self.undo()
        self.assert_as_before()

    def killed(
        self, point: Point, act: Callable[[], object], *, power: bool = False, harm: Harm | None = None
    ) -> bool:
        """Kill the agent, or cut the power, right before this call of an act; False where it did not come by.

        `harm` takes from the disk what was not synced by then, once the power is cut.
        """
        how = How(stop=point, records=harm is not None) if power else How(kill=point)
        with Following(self.lab, "a", how) as following:
            acting = Thread(target=act, daemon=True)
            acting.start()
            wait_for(lambda: following.met.is_set() or not acting.is_alive(), SOON_SECONDS, "the point")
            was_met = following.met.wait(LATE_SECONDS)
            if was_met and power:
                self.lab.off("a")
        acting.join(SOON_SECONDS)
        if was_met and harm is not None:
            harm(following.journal)
        if was_met and power:
            self.power_on()
        return was_met

    def points(self, act: Callable[[], object]) -> list[Point]:
        """Return the calls of an act that change something, in their order."""
        with Following(self.lab, "a", How()) as following:
            act()
        return following.points()

    def assert_set_up(self) -> None:
        """The own address is the machine's, in the file and static; the present one is held with /32 only."""
        look = self.network_look()
        assert f"inet {self.own}/24" in look, look
        assert f"inet {self.present}/32" in look, look
        assert f"inet {self.present}/24" not in look, look
        lines = [each for each in look.splitlines() if "inet" not in each]
        assert all(f"src {self.present}" in each for each in lines), look
        assert self.network_file() == self.before.replace(self.present, self.own)
        switching.wait_for_state(self.administrator, "a", "serving")

    def uninstall(self) -> str:
        """Run packaging/uninstall; what it says."""
        path = "/root/uninstall"
        self.lab.copy_in("a", path, (PROJECT / "packaging/uninstall").read_bytes())
        self.lab.sh("a", ["chmod", "755", path])
        return self.lab.sh("a", [path], timeout=120).stdout

    def assert_as_before(self) -> None:
        """Network file byte by byte, mode and owner; addresses, routes; PBX behind no gate; no appliance."""
        assert self.administrator.status("a")["state"] == "not-initialised"
        self.assert_network_as_before()

    def assert_network_as_before(self) -> None:
        assert self.network_file() == self.before
        assert self.network_look() == self.look
        gone = ["/etc/beistand/installation.toml", "/etc/systemd/system/asterisk.service.d/beistand.conf"]
        for path in gone:
            assert self.lab.sh("a", ["test", "-e", path], check=False).returncode != 0, path
        assert (
            self.lab.sh("a", ["systemctl", "is-active", "asterisk"], check=False).stdout.strip() == "active"
        )


class Watching:
    """Ping and SIP OPTIONS at the present address every 20 ms, from the mail host; judged at the switch."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        lab = machine.lab
        self.begin = time.time()
        self._probe = lab.sip_probe(machine.present)
        ping = ["nice", "-n", "-15", "ping", "-n", "-q", "-i", str(PERIOD), machine.present]
        self._ping = lab.popen("m", ping)
        self._probe.first_answer(self.begin, SOON_SECONDS)
        self.begin = time.time()

    def end(self) -> tuple[float, float]:
        """Return the longest silence of SIP, and of ping as the switch saw it, in seconds."""
        # An answer to what is asked now: all before it has been told, and stands in the capture.
        now = time.time()
        end = max(
            self._probe.first_answer(now, SOON_SECONDS),
            wait_for(lambda: self._ponged(now), SOON_SECONDS, "ping"),
        )
        self._ping.terminate()
        self._ping.communicate(timeout=10)
        self._probe.stop()
        return self._probe.longest_silence(self.begin, end), longest_silence(self._pings(), self.begin, end)

    def _ponged(self, after: float) -> float:
        """When the first echo request later than this was answered; 0: not yet."""
        return next((answered for asked, answered in self._pings() if asked >= after and answered), 0.0)

    def _pings(self) -> list[Question]:
        """When each echo request passed the switch, and its answer."""
        lab = self._machine.lab
        frames = [each for each in lab.capture.frames(self.begin) if _is_icmp(each.data)]
        replies = {
            each.data[38:42]: each.time
            for each in frames
            if each.source == lab.settings.mac("a") and each.data[34] == _REPLY
        }
        requests = [
            each for each in frames if each.source == lab.settings.mac("m") and each.data[34] == _REQUEST
        ]
        return [(each.time, replies.get(each.data[38:42])) for each in requests]


_REPLY, _REQUEST = 0, 8


def _is_icmp(data: bytes) -> bool:
    return len(data) >= 42 and data[12:14] == b"\x08\x00" and data[23] == 1


@contextmanager
def unheard_of(machine: Machine, *, most: float = MOST_SILENCE) -> Iterator[dict[str, float]]:
    """Nobody notices what happens meanwhile: no silence at the address, and a call of 101 and 102 goes on."""
    lab, figures = machine.lab, dict[str, float]()
    phone = lab.phone(101)
    begin = phone.dial(102)
    phone.wait_for_event("CALL_ESTABLISHED", begin, SOON_SECONDS)
    assert calls.hears(lab, 102, 101, begin, 30)
    watching = Watching(machine)
    try:
        yield figures
    finally:
        sip, ping = watching.end()
        figures.update(sip=round(sip, 3), ping=round(ping, 3))
    until = time.time()
    for caller, listener in ((101, 102), (102, 101)):
        assert calls.hears(lab, listener, caller, until, 30)
        heard = [
            each.time
            for each in lab.capture.ip_packets(watching.begin)
            if each.source == machine.present and calls.is_rtp_to(each, listener)
        ]
        figures[f"sound-{listener}"] = round(
            max(later - earlier for earlier, later in itertools.pairwise(heard)), 3
        )
    phone.hangup()
    assert max(figures.values()) < most, figures
