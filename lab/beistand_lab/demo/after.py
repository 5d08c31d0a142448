"""The demo after the cord was pulled: the click, the calls, the old active that comes back."""

from __future__ import annotations

import contextlib
import datetime as dt
import statistics
import time
from typing import Any

from beistand_lab import calls, contacts
from beistand_lab.demo.administrator import Administrator
from beistand_lab.demo.everything_rings import Taken
from beistand_lab.demo.teller import Teller
from beistand_lab.errors import ConditionNotMet, LabError
from beistand_lab.frames import ArpClaim
from beistand_lab.lab import Lab, wait_for

QUIET_SECONDS = 15.0
"""How long the returned active is listened to before it is called quiet."""
STARTS = 3
MOST_CLICKS = 3


def take_over(administrator: Administrator, teller: Teller, cord: float) -> Taken | None:
    """Look at the plan, confirm its digest, and see phones call each other. None: it did not go ahead."""
    lab = administrator.lab
    address = lab.settings.service_address
    with lab.sip_probe(address) as probe:
        plan, answer = _click(administrator, teller)
        if answer.get("state") != "done":
            teller.claim("took_over", False, f"beistand takeover: {answer}")
            return None
        result: dict[str, float] = answer["result"]
        click, grant = result["accepted_at"], result["granted_at"]
        _measure_arp(lab, teller, cord, click)
        try:
            sip = probe.first_answer(grant, 60)
        except ConditionNotMet:
            teller.claim("took_over", False, f"nothing answers SIP at {address}")
            return None
    teller.measure("click_to_sip_seconds", sip - click, "  click to SIP answered")
    teller.measure("grant_to_sip_seconds", sip - grant, "  grant to SIP answered")
    _first_call(lab, teller, cord, click)
    begin = plan["generation"]["begin"]
    imported = dt.datetime.fromisoformat(begin).timestamp()
    teller.measure("rpo_seconds", cord - imported, "  data lost: cord pulled minus begin of the generation")
    return Taken(click=click, sip=sip)


def _click(administrator: Administrator, teller: Teller) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the plan and confirm it; where it has changed since it was read, read it again, as a person does."""
    for _ in range(MOST_CLICKS):
        plan = plan_of_a_dead_active(administrator)
        accept = [
            word
            for each in plan.get("findings", [])
            if each["severity"] in {"block", "confirm"}
            for word in ("--accept", each["code"])
        ]
        answer = administrator.ask("b", "takeover", "--confirm", plan.get("digest", ""), *accept)
        if (answer.get("error") or {}).get("code") != "plan-changed":
            break
    age = float(plan.get("age_seconds", 0))
    teller.claim(
        "plan_shown",
        plan.get("verdict") == "peer-gone",
        f"beistand takeover --plan: {plan.get('verdict')}, data {age:.0f} s old",
    )
    return plan, answer


def plan_of_a_dead_active(administrator: Administrator) -> dict[str, Any]:
    """Ask for the plan until the evidence says that the active is gone: greetings need some seconds to be missed."""
    plan: dict[str, Any] = {}

    def is_gone() -> bool:
        plan.update(administrator.ask("b", "takeover", "--plan"))
        return plan.get("verdict") == "peer-gone"

    with contextlib.suppress(ConditionNotMet):
        wait_for(is_gone, 60, "evidence that the active is gone")
    return plan


def _measure_arp(lab: Lab, teller: Teller, cord: float, click: float) -> None:
    """The first frame that claims the address, and that somebody told the phones without being asked."""
    mac = lab.settings.mac("b")

    def of_the_standby() -> list[ArpClaim]:
        claims = lab.capture.arp_claims(lab.settings.service_address, cord)
        return [each for each in claims if each.mac == mac]

    # The recorder may be a moment behind, and the announcement is repeated.
    with contextlib.suppress(ConditionNotMet):
        wait_for(lambda: any(each.kind == "announcement" for each in of_the_standby()), 10, "announcement")
    claims = of_the_standby()
    seconds = claims[0].time - click if claims else None
    teller.measure(
        "click_to_arp_seconds", seconds, "beistand takeover: click to the standby's MAC at the switch"
    )
    announced = any(each.kind == "announcement" for each in claims)
    teller.claim("announced", announced, "  the standby announced the address")


def _first_call(lab: Lab, teller: Teller, cord: float, click: float) -> None:
    """101 calls 102, who answers; both hear each other, and no phone has registered anew."""
    caller, callee = lab.phone(101), lab.phone(102)
    begin = caller.dial(102)
    answered: float | None = None
    try:
        callee.wait_for_event("CALL_INCOMING", begin, 20)
        callee.answer()
        answered = float(callee.wait_for_event("CALL_ESTABLISHED", begin, 10)["time"])
    except LabError as error:
        teller.act(f"  {error}")
    both = calls.hears(lab, 102, 101, begin) and calls.hears(lab, 101, 102, begin)
    teller.claim("sound_both_ways", both, "  101 calls 102: each hears the other")
    teller.measure(
        "click_to_call_seconds", answered - click if answered and both else None, "  click to call answered"
    )
    registered = len(contacts.from_phones(lab, cord, answered or time.time()))
    teller.measure("registrations_before_call", registered, "  phones that had to register for it", most=0)
    caller.hangup()
    calls.wait_until_idle(lab, 101, 102)


def use_what_came_over(lab: Lab, teller: Teller) -> None:
    """The voicemail that was left on the active, and the forward that was set there."""
    listener = lab.phone(102)
    begin = listener.dial("*98")
    heard = calls.hears(lab, 102, 101, begin)
    listener.hangup()
    calls.wait_until_idle(lab, 102)
    teller.claim("voicemail_survived", heard, "102 hears the message that 101 left on the old active")
    caller, rung = lab.phone(101), lab.phone(103)
    begin = caller.dial(102)
    try:
        rung.wait_for_event("CALL_INCOMING", begin, 30)
        rung.answer()
        rung.wait_for_event("CALL_ESTABLISHED", begin, 20)
        rings = calls.hears(lab, 103, 101, begin)
    except ConditionNotMet:
        rings = False
    caller.hangup()
    teller.claim("forward_survived", rings, "102 does not answer: 103 rings, takes the call and hears 101")


def measure_start(lab: Lab, teller: Teller) -> None:
    """For comparison: how long the same PBX takes to start on the same appliance by systemctl alone."""
    with lab.sip_probe(lab.settings.service_address) as probe:
        seconds = [_one_start(lab, probe) for _ in range(STARTS)]
    median = statistics.median(seconds)
    teller.measure("asterisk_start_seconds", median, f"systemctl start asterisk alone, median of {STARTS}")


def _one_start(lab: Lab, probe: Any) -> float:
    """Stop and start at once, in one shell: nothing else gets to start it in between."""
    script = "systemctl stop asterisk && date +%s.%N && systemctl start asterisk"
    begin = float(lab.sh("b", ["sh", "-c", script], timeout=60).stdout.strip())
    return float(probe.first_answer(begin, 60)) - begin


def switch_old_active_on(administrator: Administrator, teller: Teller) -> None:
    """The old active gets its power back: it must stay quiet and know why."""
    lab = administrator.lab
    on = time.time()
    lab.on("a")
    teller.act("pbx-a is switched on again")

    def knows() -> bool:
        return administrator.status("a").get("state") == "superseded"

    try:
        wait_for(knows, 60, "pbx-a to notice")
        noticed = True
    except LabError:
        noticed = False
    teller.claim("old_active_superseded", noticed, "beistand status on pbx-a: superseded")
    measure_start(lab, teller)
    wait_for(lambda: time.time() > on + QUIET_SECONDS, QUIET_SECONDS + 5, "some quiet")
    mac = lab.settings.mac("a")
    claims = [
        each
        for each in lab.capture.arp_claims(lab.settings.service_address, on)
        if mac in {each.mac, each.ethernet_source}
    ]
    teller.claim(
        "old_active_quiet", not claims, f"frames of pbx-a that claim the service address: {len(claims)}"
    )
    running = lab.sh("a", ["systemctl", "is-active", "asterisk"], check=False).stdout.strip()
    teller.claim("old_active_pbx_stopped", running != "active", f"asterisk on pbx-a is {running}")
