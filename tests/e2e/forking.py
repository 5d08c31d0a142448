"""A server that nobody could contradict for a quarter of an hour, and then the newer one comes back (R3, R5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from beistand_lab import calls, late_clock
from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import wait_for
from e2e import switching

LONG = timedelta(minutes=16)
"""Above domain/boot.py's FORK_LIMIT."""


def fork(administrator: Administrator) -> None:
    """A dies, b takes over, the site goes dark, a comes back alone and serves for long; then b is switched on."""
    lab = administrator.lab
    switching.take_over_from_dead(administrator)
    switching.assert_call_works(lab)
    lab.off("b")
    lab.on("a")
    switching.wait_for_state(administrator, "a", "checking")
    administrator.run("a", "retry")  # a person does not wait the two minutes for a peer that is off
    switching.wait_for_state(administrator, "a", "unverified")
    wait_for(lambda: switching.serves(lab, "a"), switching.SOON_SECONDS, "a to serve")
    for number in (101, 102):
        lab.phone(number).register(seconds=switching.SOON_SECONDS)
    late_clock.let_pass(lab, "a", LONG)
    switching.wait_for_agent(lab, "a")
    switching.assert_call_works(lab)
    assert calls.leave_message(lab, 101, 102)
    lab.on("b")
    for host in ("a", "b"):
        switching.wait_for_state(administrator, host, "forked")


def histories(administrator: Administrator, host: str) -> list[dict[str, Any]]:
    """What a host shows of both, once both have counted."""
    shown: list[dict[str, Any]] = []

    def are_there() -> bool:
        shown[:] = administrator.status(host)["histories"]
        return len(shown) == 2 and any(each["recorded"]["files"] for each in shown)

    wait_for(are_there, switching.SOON_SECONDS, f"both histories on {host}")
    return shown


def choices(administrator: Administrator, host: str) -> list[str]:
    return [each["code"] for each in administrator.status(host)["choices"]]


def choose(administrator: Administrator, host: str) -> None:
    """One click on the appliance that shall serve; what it asks is accepted by name."""
    shown = switching.plan(administrator, host)
    answer = switching.confirm(administrator, shown, *switching.questions(shown), host=host)
    assert answer.get("state") == "done", answer


def assert_one_serves(administrator: Administrator, server: str, other: str) -> None:
    """Exactly one, and what the other recorded is kept there."""
    lab = administrator.lab
    switching.wait_for_state(administrator, server, "serving")
    switching.wait_for_state(administrator, other, "superseded")
    assert switching.serves(lab, server)
    wait_for(lambda: not switching.pbx_runs(lab, other), switching.SOON_SECONDS, "the end of the other PBX")
    assert not switching.has_address(lab, other)
    assert kept_backup(administrator, other)


def kept_backup(administrator: Administrator, host: str) -> dict[str, Any]:
    """The local backup of what a loser recorded, once it is made."""
    found: list[dict[str, Any]] = []

    def is_there() -> bool:
        backups = administrator.ask(host, "backup", "list")["backups"]
        found[:] = [each for each in backups if each["superseded_by"]]
        codes = {each["code"] for each in administrator.status(host)["findings"]}
        return bool(found) and "own-data-kept" in codes

    wait_for(is_there, switching.SOON_SECONDS, f"{host} to keep its data")
    return found[0]
