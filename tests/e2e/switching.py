"""A pair as it stands before a takeover, what a person does to it, and what observers outside see of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from beistand_lab import calls
from beistand_lab.demo.administrator import Administrator
from beistand_lab.frames import ArpClaim
from beistand_lab.lab import Lab, wait_for
from beistand_lab.settings import PHONES
from e2e.outside import pbx_processes

QUIET_SECONDS = 8.0
"""How long an appliance that must be quiet is listened to, at least."""
SOON_SECONDS = 60.0
"""Limit for what happens within a second or a few on a machine that has nothing else to do."""
TAKEOVER_SECONDS = 180.0


def prepare_pair(lab: Lab, *, transport: str = "udp") -> Administrator:
    """Initialise and pair the two, register the phones at a, and run a first cycle."""

    def register() -> None:
        for number in PHONES:
            lab.phone(number).register(transport=transport, seconds=SOON_SECONDS)

    administrator = pair_up(lab, register)
    cycle(administrator)
    return administrator


def pair_up(lab: Lab, once_it_serves: Callable[[], object] = lambda: None) -> Administrator:
    """Initialise and pair the two; no cycle yet."""
    administrator = Administrator(lab)
    for host in ("a", "b"):
        wait_for_agent(lab, host)
    administrator.initialise()
    with lab.sip_probe(lab.settings.service_address) as probe:
        probe.first_answer(time.time(), SOON_SECONDS)
    once_it_serves()
    paired = administrator.pair()
    assert paired.returncode == 0, paired.stderr
    key = administrator.status("a")["licence_key"]
    administrator.run("a", "config", "set", f"licence_key={key}")
    return administrator


def wait_for_agent(lab: Lab, host: str) -> None:
    ask = ["systemctl", "is-active", "beistand-agent"]

    def runs() -> bool:
        return lab.sh(host, ask, check=False).stdout.strip() == "active"

    wait_for(runs, SOON_SECONDS, f"the agent of {host}")


def cycle(administrator: Administrator) -> dict[str, Any]:
    """A cycle by hand that must end well."""
    answer = administrator.ask("a", "cycle")
    assert answer.get("state") == "done", answer
    return answer


def plan(administrator: Administrator, host: str = "b", restore_point: str = "") -> dict[str, Any]:
    """What would be done with the newest generation, or with an older one."""
    return administrator.ask(host, "takeover", "--plan", "--restore-point", restore_point)


def plan_with_verdict(
    administrator: Administrator, *verdicts: str, host: str = "b", restore_point: str = ""
) -> dict[str, Any]:
    """Ask for the plan until the evidence amounts to one of these: silence takes some seconds to be noticed."""
    shown: dict[str, Any] = {}

    def is_so() -> bool:
        shown.clear()
        shown.update(plan(administrator, host, restore_point))
        return shown.get("verdict") in verdicts

    wait_for(is_so, SOON_SECONDS, f"the verdict {verdicts}")
    return shown


def codes(shown: dict[str, Any]) -> set[str]:
    """The codes of a plan's findings."""
    return {each["code"] for each in shown["findings"]}


def questions(shown: dict[str, Any]) -> list[str]:
    """Codes that a person has to accept by name."""
    return sorted(each["code"] for each in shown["findings"] if each["severity"] in {"block", "confirm"})


def confirm(
    administrator: Administrator,
    shown: dict[str, Any],
    *accepted: str,
    host: str = "b",
    restore_point: str = "",
    timeout: float = TAKEOVER_SECONDS,
) -> dict[str, Any]:
    """Run the plan that was shown; its answer, whether it did or refused.

    One look that came too late in a busy moment makes another plan. A person then looks again, once, and confirms
    what is shown for the same reasons and with the same questions.
    """

    def is_same() -> bool:
        again.clear()
        again.update(plan(administrator, host, restore_point))
        return again.get("verdict") == shown["verdict"] and questions(again) == questions(shown)

    again: dict[str, Any] = {}
    how: dict[str, Any] = {"host": host, "restore_point": restore_point, "timeout": timeout}
    answer = confirm_digest(administrator, shown["digest"], *accepted, **how)
    if (answer.get("error") or {}).get("code") != "plan-changed":
        return answer
    wait_for(is_same, SOON_SECONDS, "the plan that was shown")
    return confirm_digest(administrator, again["digest"], *accepted, **how)


def confirm_digest(
    administrator: Administrator,
    digest: str,
    *accepted: str,
    host: str = "b",
    restore_point: str = "",
    timeout: float = TAKEOVER_SECONDS,
) -> dict[str, Any]:
    """Run the plan with exactly this digest; its answer, whether it did or refused."""
    words = [word for each in accepted for word in ("--accept", each)]
    words += ["--restore-point", restore_point]
    return administrator.ask(host, "takeover", "--confirm", digest, *words, timeout=timeout)


def take_over(administrator: Administrator, *accepted: str, host: str = "b") -> dict[str, Any]:
    """Look at the plan and run it; returns what the job measured."""
    answer = confirm(administrator, plan(administrator, host), *accepted, host=host)
    assert answer.get("state") == "done", answer
    result: dict[str, Any] = answer["result"]
    return result


def take_over_from_dead(administrator: Administrator) -> dict[str, Any]:
    """Pull a's power cord and let b take over once it sees that a is gone."""
    administrator.lab.off("a")
    shown = plan_with_verdict(administrator, "peer-gone")
    answer = confirm(administrator, shown)
    assert answer.get("state") == "done", answer
    result: dict[str, Any] = answer["result"]
    return result


def wait_for_state(
    administrator: Administrator, host: str, *states: str, seconds: float = SOON_SECONDS
) -> str:
    """Until `beistand status` says one of these states."""
    seen = [""]

    def is_so() -> bool:
        seen[0] = str(administrator.status(host).get("state", ""))
        return seen[0] in states

    wait_for(is_so, seconds, f"the state {states} of {host}, which is {seen}")
    return seen[0]


def wait_for_stage(administrator: Administrator, host: str, stage: str) -> None:
    """Until a running job of a host has come to this stage."""

    def is_there() -> bool:
        job = administrator.status(host).get("job")
        return bool(job and job["stage"] == stage)

    wait_for(is_there, SOON_SECONDS, f"the stage {stage} at {host}")


def wait_quietly(until: float) -> None:
    """Let time pass until an epoch time, for what must not happen meanwhile."""
    wait_for(lambda: time.time() >= until, max(1.0, until - time.time() + 5), "some quiet")


# --- what is seen from outside --------------------------------------------------------------------


def claims(lab: Lab, host: str, begin: float) -> list[ArpClaim]:
    """Frames since then with which a host says that the service address is its own."""
    mac = lab.settings.mac(host)
    found = lab.capture.arp_claims(lab.settings.service_address, begin)
    return [each for each in found if mac in {each.mac, each.ethernet_source}]


def first_claim(lab: Lab, host: str, begin: float) -> float:
    """When a host first claimed the service address; waits for it."""
    return wait_for(
        lambda: min((each.time for each in claims(lab, host, begin)), default=0.0),
        SOON_SECONDS,
        f"{host} to claim the service address",
    )


def has_address(lab: Lab, host: str) -> bool:
    shown = lab.sh(host, ["ip", "-4", "-oneline", "address", "show"]).stdout
    return f" {lab.settings.service_address}/" in shown


def pbx_runs(lab: Lab, host: str) -> bool:
    return bool(pbx_processes(lab, host))


def serves(lab: Lab, host: str) -> bool:
    """The kernel has the address, and a PBX runs."""
    return has_address(lab, host) and pbx_runs(lab, host)


def assert_quiet(lab: Lab, host: str, begin: float, seconds: float = QUIET_SECONDS) -> None:
    """Neither address nor PBX nor one frame that claims the address, from a time on, for so long from now."""
    wait_quietly(time.time() + seconds)
    assert claims(lab, host, begin) == []
    assert not has_address(lab, host)
    assert not pbx_runs(lab, host)


def assert_call_works(lab: Lab, caller: int = 101, callee: int = 102) -> None:
    """The callee's phone takes a call of the other, and each hears the other's tone at the switch."""
    phone = lab.phone(caller)
    phone.hangup()
    begin = phone.dial(callee)
    try:
        phone.wait_for_event("CALL_ESTABLISHED", begin, SOON_SECONDS)
        assert calls.hears(lab, callee, caller, begin, 30)
        assert calls.hears(lab, caller, callee, begin, 30)
    finally:
        phone.hangup()


def wait_for_log(lab: Lab, host: str, text: str, begin: float, unit: str = "beistand-agent") -> None:
    """Until the journal of a unit has a line with this text, not older than an epoch time."""
    ask = ["journalctl", f"--unit={unit}", f"--since=@{begin:.6f}", "--output=cat", "--no-pager"]
    wait_for(lambda: text in lab.sh(host, ask).stdout, SOON_SECONDS, f"{text!r} in the journal of {host}")
