"""Takeover: what comes on top of a plain `systemctl start asterisk`, seen from the switch and over SIP."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab
from beistand_lab.sip_probe import SipProbe
from bench.figures import Report
from bench.noise import Noise
from bench.pair import Where, confirmed, cycle, paired

STARTS = 3
"""Of Asterisk by systemctl alone, after each takeover and on the same appliance."""
SECONDS = 60
MOST_OVER_START = 1.2
MOST_AFTER_CLICK = 0.9
"""Seconds that a click may take beside: the fast probe of 0.8 s is in it."""
MOST_TO_ARP = 0.050


@dataclass(frozen=True, kw_only=True)
class Takeover:
    """One takeover, in seconds."""

    grant_to_arp: float
    grant_to_sip: float
    click_to_sip: float
    starts: tuple[float, ...]


def measure(where: Where, runs: int, report: Report, noise: Noise, say: Callable[[str], None]) -> None:
    """So many takeovers, each in a fresh lab: the standby's Asterisk has never run before."""
    seen: list[Takeover] = []
    for run in range(runs):
        with paired(where) as administrator:
            cycle(administrator)
            noise.sample()
            seen.append(_take_over(administrator))
            noise.sample()
        say(f"takeover {run + 1} of {runs}: click to SIP {seen[-1].click_to_sip:.2f} s")
    arp = report.add("takeover: grant to the first ARP frame", "s", [each.grant_to_arp for each in seen])
    report.add("takeover: grant to SIP answered", "s", [each.grant_to_sip for each in seen])
    report.add("takeover: click to SIP answered", "s", [each.click_to_sip for each in seen])
    report.add("systemctl start asterisk to SIP answered", "s", [s for each in seen for s in each.starts])
    starts = [statistics.median(each.starts) for each in seen]
    pairs = list(zip(seen, starts, strict=True))
    over = [each.grant_to_sip / start for each, start in pairs]
    report.hold("grant to SIP / systemctl start asterisk", "", over, MOST_OVER_START)
    beside = [each.click_to_sip - MOST_OVER_START * start for each, start in pairs]
    report.hold("click to SIP, beside 1.2 such starts", "s", beside, MOST_AFTER_CLICK)
    report.hold("grant to the first ARP frame", "s", arp.runs, MOST_TO_ARP)


def _take_over(administrator: Administrator) -> Takeover:
    lab = administrator.lab
    lab.off("a")
    with lab.sip_probe(lab.settings.service_address) as probe:
        result = confirmed(administrator)
        click, grant = float(result["accepted_at"]), float(result["granted_at"])
        sip = probe.first_answer(grant, SECONDS)
        starts = tuple(_start(lab, probe) for _ in range(STARTS))
    return Takeover(
        grant_to_arp=_first_claim(lab, click) - grant,
        grant_to_sip=sip - grant,
        click_to_sip=sip - click,
        starts=starts,
    )


def _first_claim(lab: Lab, after: float) -> float:
    """When the switch first saw the standby claim the service address."""
    own, service = lab.settings.mac("b"), lab.settings.service_address
    return next(each.time for each in lab.capture.arp_claims(service, after) if each.mac == own)


def _start(lab: Lab, probe: SipProbe) -> float:
    """Stop and start in one shell, so that nothing else starts it in between."""
    script = "systemctl stop asterisk && date +%s.%N && systemctl start asterisk"
    begin = float(lab.sh("b", ["sh", "-c", script], timeout=SECONDS).stdout.strip())
    return probe.first_answer(begin, SECONDS) - begin
