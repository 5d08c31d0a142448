"""A switch that breaks in two, clicks on either side, healing after any time, forks and both ways out of them (F21)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import evidence, forking, partition, switching
from torture.labs import lab
from torture.run import Run

LITTLE = 100 << 20
"""Bytes that are left: enough for everything but a backup, which leaves more than that free."""
KILLS = 3
LONGEST_GAP = 40.0
"""Seconds of a random partition: what TCP and ARP remember of the line fades within it."""


def campaign(run: Run) -> None:
    """Two forks with both ways out, two clicks in one partition, then partitions of random length."""
    for server in ("a", "b"):
        with lab(f"fork-{server}") as booted, run.case(f"a fork, and {server} is chosen"):
            _fork(run, switching.prepare_pair(booted), server)
    with lab("partition") as booted:
        administrator = switching.prepare_pair(booted)
        with run.case("a click on both sides of the broken line"):
            _two_clicks(run, administrator)
        for name, trouble in (("a full disk", _disk_is_full), ("an agent that is killed", _agent_is_killed)):
            with run.case(f"{name} while a loser's data is kept"):
                _kept_all_the_same(run, administrator, trouble)
        measured: list[partition.Healed] = []
        while not run.is_over or not measured:
            gap, is_heard = round(run.random.uniform(0, LONGEST_GAP), 1), run.random.random() < 0.5
            with run.case(
                f"healing {gap} s after the click, gratuitous ARP {'heard' if is_heard else 'ignored'}"
            ):
                measured.append(_heal(run, booted, administrator, gap=gap, is_heard=is_heard))
    _tell(run, measured)


def _fork(run: Run, administrator: Administrator, server: str) -> None:
    """One click leads to exactly one server, and the other's data is kept (I7, I10)."""
    forking.fork(administrator)
    run.injected()
    for host in ("a", "b"):
        assert len(forking.histories(administrator, host)) == 2
    assert forking.choices(administrator, "a") == ["keep-serving-here", "serve-there"]
    assert forking.choices(administrator, "b") == ["keep-serving-there", "serve-here"]
    forking.choose(administrator, server)
    forking.assert_one_serves(administrator, server, "b" if server == "a" else "a")
    # Their places are part of the history that was not chosen: calls reach them once they register again.
    for number in (101, 102):
        administrator.lab.phone(number).register(seconds=switching.SOON_SECONDS)
    switching.assert_call_works(administrator.lab)
    run.recovered()


def _two_clicks(run: Run, administrator: Administrator) -> None:
    """Both histories are kept and told; a click that knows of both ends it (R5)."""
    booted = administrator.lab
    partition.split_and_take_over(administrator)
    # A starts anew behind the broken line, as after a boot; a person there wants it to serve, and clicks as well.
    for line in (
        "systemctl stop beistand-agent asterisk",
        "rm -f /run/beistand/boot-check /run/beistand/may-serve",
        f"ip address del {booted.settings.service_address}/32 dev eth0",
        "systemctl start beistand-agent",
    ):
        booted.sh("a", line.split())
    switching.wait_for_state(administrator, "a", "checking")
    shown = switching.plan_with_verdict(administrator, "isolated", "partition", "peer-gone", host="a")
    answer = switching.confirm(administrator, shown, *switching.questions(shown), host="a")
    assert answer.get("state") == "done", answer
    run.injected(2)
    booted.join()
    switching.wait_for_state(administrator, "b", "superseded")
    for host in ("a", "b"):
        found = {each["code"] for each in administrator.status(host)["findings"]}
        assert "histories-forked" in found, (host, found)
    assert switching.serves(booted, "a")
    booted.reunite("a", "t")
    forking.choose(administrator, "a")
    for host in ("a", "b"):
        found = {each["code"] for each in administrator.status(host)["findings"]}
        assert "histories-forked" not in found, (host, found)
    forking.assert_one_serves(administrator, "a", "b")
    run.recovered()


def _kept_all_the_same(
    run: Run, administrator: Administrator, trouble: Callable[[Administrator, str], None]
) -> None:
    """Whoever serves is taken over from, and what it recorded is kept in the end, once (I10)."""
    both = evidence.pair(administrator)
    known = {each["id"] for each in administrator.ask(both.active, "backup", "list")["backups"]}
    with _troubled(administrator, both.active, trouble):
        forking.choose(administrator, both.standby)
        run.injected()
    switching.wait_for_state(administrator, both.active, "superseded")
    forking.kept_backup(administrator, both.active)
    made = [
        each
        for each in administrator.ask(both.active, "backup", "list")["backups"]
        if each["id"] not in known
    ]
    assert len(made) == 1, made
    run.recovered()


@contextmanager
def _troubled(
    administrator: Administrator, host: str, trouble: Callable[[Administrator, str], None]
) -> Iterator[None]:
    booted = administrator.lab
    if trouble is _disk_is_full:
        booted.fill(host, "/", leave=LITTLE)
    try:
        yield
        trouble(administrator, host)
    finally:
        booted.empty(host, "/")


def _disk_is_full(administrator: Administrator, host: str) -> None:
    """It is told, and nothing may be imported meanwhile; there is room again when the caller goes on."""

    def is_told() -> bool:
        found = {each["code"] for each in administrator.status(host)["findings"]}
        return "own-data-not-yet-kept" in found

    wait_for(is_told, switching.SOON_SECONDS, f"{host} to say that its data is not kept")


def _agent_is_killed(administrator: Administrator, host: str) -> None:
    """Again and again, at any point of it."""
    for _ in range(KILLS):
        administrator.lab.sh(
            host, ["systemctl", "kill", "--kill-whom=main", "--signal=SIGKILL", "beistand-agent"], check=False
        )
        switching.wait_for_agent(administrator.lab, host)


def _heal(
    run: Run, booted: Lab, administrator: Administrator, *, gap: float, is_heard: bool
) -> partition.Healed:
    active = "a" if switching.serves(booted, "a") else "b"
    standby = "b" if active == "a" else "a"
    booted.set_gratuitous_arp("t", heard=is_heard)
    try:
        partition.split_and_take_over(administrator, active=active, standby=standby)
        run.injected()
        switching.wait_quietly(time.time() + gap)
        healed = partition.heal(administrator, loser=active, winner=standby)
    finally:
        booted.join()
        booted.reunite("a", "b", "t")
    switching.wait_for_state(administrator, active, "superseded")
    assert forking.kept_backup(administrator, active)
    assert switching.serves(booted, standby)
    switching.assert_call_works(booted)
    assert healed.followed < partition.FOLLOW_SECONDS, healed
    run.recovered()
    return healed


def _tell(run: Run, measured: list[partition.Healed]) -> None:
    for name in ("announced", "followed", "withdrawn"):
        seconds = sorted(getattr(each, name) for each in measured)
        middle = seconds[len(seconds) // 2]
        run.say(f"  {name}: median {middle:.2f} s, longest {seconds[-1]:.2f} s, {len(seconds)} healings")
