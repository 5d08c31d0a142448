"""A pair for the scenario tests of the cycle: no phones, only two appliances, and questions about them."""

from __future__ import annotations

import time
from typing import Any

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import asking

GENEROUS_SECONDS = 60.0
"""Limit for what takes a second or a few on a machine that has nothing else to do."""
UNIT = "beistand-agent"


def initialised(lab: Lab) -> Administrator:
    """Both appliances know who they are, the active serves, and nobody has paired them."""
    administrator = Administrator(lab)
    for host in ("a", "b"):
        wait_for_agent(lab, host)
    administrator.initialise()
    with lab.sip_probe(lab.settings.service_address) as probe:
        probe.first_answer(time.time(), GENEROUS_SECONDS)
    return administrator


def paired(lab: Lab) -> Administrator:
    administrator = initialised(lab)
    done = administrator.pair()
    assert done.returncode == 0, done.stderr
    return administrator


def seeded(lab: Lab) -> Administrator:
    """Paired, and one generation is imported on the standby."""
    administrator = paired(lab)
    cycle(administrator)
    return administrator


def cycle(administrator: Administrator) -> dict[str, Any]:
    """A cycle by hand that must end well; the job as it ended."""
    answer = administrator.ask("a", "cycle")
    assert answer.get("state") == "done", answer
    return answer


def refused_cycle(administrator: Administrator, timeout: float = 120) -> dict[str, Any]:
    """A cycle by hand that must fail: the message, with code, fields, sentence and hint."""
    answer = administrator.ask("a", "cycle", timeout=timeout)
    assert "error" in answer, answer
    error: dict[str, Any] = answer["error"]
    assert error["sentence"]
    return error


def newest(administrator: Administrator, host: str) -> dict[str, Any]:
    """The newest copy that this side knows of."""
    return administrator.copies(host)[0]


def wait_for_agent(lab: Lab, host: str) -> None:
    """The agent runs and answers."""

    def answers() -> bool:
        return lab.sh(host, ["beistand", "status", "--json"], check=False).returncode == 0

    wait_for(answers, GENEROUS_SECONDS, f"the agent of {host}")


def wait_until_connected(administrator: Administrator) -> None:
    """Both hear each other; of one alone that is true for seconds after the other has gone."""
    asking.wait_until_connected(administrator.lab)


def wait_for_stage(administrator: Administrator, stage: str) -> None:
    """A job of the active is at this stage now."""

    def is_there() -> bool:
        told = asking.status(administrator.lab, "a")
        return told is not None and told.job is not None and told.job.stage == stage

    wait_for(is_there, GENEROUS_SECONDS, f"the stage {stage}")


def kill_agent(lab: Lab, host: str) -> None:
    """SIGKILL to the agent itself, as the kernel's out-of-memory killer sends it; systemd starts it anew."""
    lab.sh(host, ["systemctl", "kill", "--kill-whom=main", "--signal=SIGKILL", UNIT])


def restarts(lab: Lab, host: str) -> int:
    """How often systemd has started the agent anew by itself since boot."""
    shown = lab.sh(host, ["systemctl", "show", "--property=NRestarts", "--value", UNIT]).stdout
    return int(shown)


def pbx_state(lab: Lab, host: str) -> str:
    return lab.sh(host, ["systemctl", "is-active", "asterisk"], check=False).stdout.strip()
