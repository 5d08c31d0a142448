"""Who tells what, on which side, when something is wrong that would matter on the day (B3, F9, F28, F30)."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from beistand_lab import inspection, late_clock
from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from beistand_lab.mails import Mail
from e2e import switching
from e2e.pairing_up import wait_until_connected

ADMINISTRATOR = "admin@lab.example"
BOTH = ("a", "b")
HOUR = timedelta(hours=1)
OUTLOOK_SECONDS = 90.0
"""A stranger is seen at the second look, a dropped announcement after three trials, ten seconds apart."""


def found(pair: Administrator, host: str, code: str) -> dict[str, Any]:
    """The finding with this code, as `beistand status` tells it; empty: it is not told."""
    return next((each for each in pair.status(host)["findings"] if each["code"] == code), {})


def wait_for_finding(pair: Administrator, code: str, seconds: float, *hosts: str, severity: str = "") -> None:
    """Until each of these hosts tells it, this pressing where that is asked for."""
    for host in hosts or BOTH:
        wait_for(
            lambda host=host: (
                bool(this := found(pair, host, code))  # type: ignore[misc]
                and severity in ("", this["severity"])
            ),
            seconds,
            f"{host} to tell {code}",
        )


def wait_for_end(pair: Administrator, code: str, seconds: float = OUTLOOK_SECONDS) -> None:
    for host in BOTH:
        wait_for(lambda host=host: not found(pair, host, code), seconds, f"the end of {code} at {host}")  # type: ignore[misc]


def since_1970() -> timedelta:
    """How far behind a clock is whose battery is empty and that was switched on an hour ago."""
    return timedelta(seconds=time.time() - 3600)


def set_clock(pair: Administrator, host: str, behind: timedelta) -> None:
    """Let the agent of a host live so long ago (negative: to come), and wait until both know each other again."""
    late_clock.set_back(pair.lab, host, behind)
    switching.wait_for_agent(pair.lab, host)
    wait_until_connected(pair)
    switching.wait_for_state(pair, "a", "serving")


def assert_cycle_with_true_age(pair: Administrator) -> None:
    """A cycle brings a newer generation to the standby, and both tell that it is seconds old."""
    before = newest(pair, "b")
    switching.cycle(pair)
    after = newest(pair, "b")
    assert after["generation"]["sequence"] == before["generation"]["sequence"] + 1
    assert after["state"] == "imported"
    for host in BOTH:
        told = pair.status(host)
        assert told["usable"]["generation"]["id"] == after["generation"]["id"]
        assert told["usable_age_seconds"] is not None, f"{host} does not know the age"
        assert 0 <= told["usable_age_seconds"] < 60, f"{host} tells {told['usable_age_seconds']} s"
    shown = switching.plan(pair)
    assert 0 <= shown["age_seconds"] < 60, shown["age_seconds"]
    assert not {"data-old", "data-age-unknown"} & switching.codes(shown)


def newest(pair: Administrator, host: str) -> dict[str, Any]:
    copy: dict[str, Any] = pair.status(host)["newest"]
    return copy


def disagree(pair: Administrator, ahead: timedelta, behind: timedelta) -> None:
    """Let the active's clock be ahead and the standby's behind, and see that both say so and lose nothing."""
    set_clock(pair, "a", -ahead)
    set_clock(pair, "b", behind)
    wait_for_finding(pair, "clocks-differ", switching.SOON_SECONDS)
    skew = found(pair, "b", "clocks-differ")["fields"]["skew"]
    assert abs(skew - (ahead + behind).total_seconds()) < 30
    assert_cycle_with_true_age(pair)


def inspect_and_see(pair: Administrator, host: str = "b") -> None:
    """A switch that inspects ARP at the port of one: both tell that its announcements would be dropped."""
    inspection.switch_on(pair.lab, host)
    wait_for_finding(pair, "announcements-dropped", OUTLOOK_SECONDS)
    name = pair.status(host)["host"]
    for each in BOTH:
        fields = found(pair, each, "announcements-dropped")["fields"]
        assert (fields["host"], fields["hearer"] != name) == (name, True)
    inspection.switch_off(pair.lab, host)


def settle_stranger(pair: Administrator, *, comes: bool) -> None:
    service, act = f"{pair.lab.settings.service_address}/32", "add" if comes else "del"
    pair.lab.sh("m", ["ip", "address", act, service, "dev", "eth0"])


def mails(lab: Lab, subject: str) -> list[Mail]:
    return [each for each in lab.mails() if ADMINISTRATOR in each.recipients and subject in each.subject]


def want_mails(pair: Administrator) -> None:
    """Both know the mail server and whom to tell."""
    host = pair.lab.settings.address("m")
    pair.ask("a", "mail", "server", "--host", host, "--encryption", "none", "--sender", "pbx@lab.example")
    pair.run("a", "config", "set", "send_mail=true", f"mail_address={ADMINISTRATOR}")
    wait_for(
        lambda: pair.ask("b", "mail", "show")["host"] == host, switching.SOON_SECONDS, "b to know the server"
    )
    wait_for(
        lambda: pair.ask("b", "config", "show")["mail_address"] == ADMINISTRATOR,
        switching.SOON_SECONDS,
        "b to know the address",
    )
