"""B3, F9, F28, F30 in the lab: silence, blocked mails, strangers, switches, and clocks that are off by decades."""

from __future__ import annotations

from datetime import timedelta

from beistand_lab import late_clock
from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import alarming, switching
from e2e.alarming import HOUR, since_1970
from torture.labs import lab
from torture.run import Run

SILENCE_SECONDS = 240.0
"""Two minutes of silence are told; the rest is for a busy machine."""
GATEWAY_SECONDS = 480.0
BLOCKED = timedelta(minutes=11)
CLOCKS = (
    ("the active an hour ahead", -HOUR, timedelta(0)),
    ("the active an hour behind", HOUR, timedelta(0)),
    ("the standby in 1970", timedelta(0), None),
    ("the active in 1970", None, timedelta(0)),
    ("both in 1970", None, None),
    ("the active a year ahead", timedelta(days=-365), timedelta(0)),
)
"""How far behind each clock is; None: it began in 1970."""


def campaign(run: Run) -> None:
    """What both sides tell, then a takeover under each pair of clocks."""
    with lab("alarms") as booted:
        pair = switching.prepare_pair(booted)
        alarming.want_mails(pair)
        for case in (_stopped_agent, _cut_line, _blocked_mails, _stranger, _inspection, _silent_gateway):
            with run.case(case.__doc__ or case.__name__):
                case(run, pair)
    with lab("lonely") as booted, run.case("a pair without any witness says so before the day"):
        _no_witnesses(run, booted)
    for name, active, standby in CLOCKS:
        with lab("clocks") as booted, run.case(f"cycle and takeover with {name}"):
            _take_over(run, booted, active, standby)
    with lab("clocks") as booted, run.case("the standby boots alone in 1970"):
        _alone_in_1970(run, booted)


def _stopped_agent(run: Run, pair: Administrator) -> None:
    """The active's agent stops: red on the standby, told by mail with begin and end"""
    before = len(alarming.mails(pair.lab, "is back"))
    pair.lab.sh("a", ["systemctl", "stop", "beistand-agent"])
    run.injected()
    alarming.wait_for_finding(pair, "peer-silent", SILENCE_SECONDS, "b", severity="block")
    _wait_for_mail(pair.lab, "is silent")
    assert switching.serves(pair.lab, "a"), "an agent that stops ends no call"
    pair.lab.sh("a", ["systemctl", "start", "beistand-agent"])
    alarming.wait_for_end(pair, "peer-silent")
    _wait_for_mail(pair.lab, "is back", more_than=before)
    assert "silent from" in alarming.mails(pair.lab, "is back")[-1].text
    run.recovered()


def _cut_line(run: Run, pair: Administrator) -> None:
    """The standby's cable is cut: red on both sides, and both tell it when they can"""
    before = len(alarming.mails(pair.lab, "is back"))
    written = {host: _silences(pair, host) for host in alarming.BOTH}
    pair.lab.cut("b")
    run.injected()
    alarming.wait_for_finding(pair, "peer-silent", SILENCE_SECONDS, severity="block")
    for host in alarming.BOTH:
        wait_for(
            lambda host=host: _silences(pair, host) > written[host],  # type: ignore[misc]
            60.0,
            f"{host} to write its mail",
        )
    pair.lab.heal("b")
    alarming.wait_for_end(pair, "peer-silent")
    _wait_for_mail(pair.lab, "is back", more_than=before + 1)
    run.recovered()


def _blocked_mails(run: Run, pair: Administrator) -> None:
    """The active cannot send a mail: the standby tells it, by page and mail"""
    lab, host = pair.lab, pair.lab.settings.address("m")
    lab.sh("a", ["ip", "route", "add", "blackhole", f"{host}/32"])
    run.injected()
    lab.sh("b", ["systemctl", "stop", "beistand-agent"])
    wait_for(lambda: pair.ask("a", "cycle").get("state") != "done", switching.SOON_SECONDS, "a failed cycle")
    lab.sh("b", ["systemctl", "start", "beistand-agent"])
    alarming.wait_for_finding(pair, "mails-wait", switching.SOON_SECONDS, "a")
    # Nobody waits for ten minutes: they have passed, as far as the active's clock says.
    alarming.set_clock(pair, "a", -BLOCKED)
    alarming.wait_for_finding(pair, "mails-wait", switching.SOON_SECONDS, "a", severity="block")
    alarming.wait_for_finding(pair, "peer-mails-wait", switching.SOON_SECONDS, "b", severity="block")
    _wait_for_mail(lab, "cannot send its mails", seconds=180.0)
    lab.sh("a", ["ip", "route", "del", "blackhole", f"{host}/32"])
    pair.run("a", "mail", "retry")
    alarming.wait_for_end(pair, "peer-mails-wait")
    alarming.set_clock(pair, "a", timedelta(0))
    run.recovered()


def _stranger(run: Run, pair: Administrator) -> None:
    """A stranger takes the service address of a pair that is well: both name its MAC"""
    alarming.settle_stranger(pair, comes=True)
    run.injected()
    try:
        alarming.wait_for_finding(pair, "stranger-at-address", alarming.OUTLOOK_SECONDS, severity="block")
        for host in alarming.BOTH:
            fields = alarming.found(pair, host, "stranger-at-address")["fields"]
            assert fields["mac"] == pair.lab.settings.mac("m")
    finally:
        alarming.settle_stranger(pair, comes=False)
    alarming.wait_for_end(pair, "stranger-at-address")
    run.recovered()


def _inspection(run: Run, pair: Administrator) -> None:
    """A switch drops announcements of other addresses, at either port: told, and its end"""
    for host in alarming.BOTH:
        run.injected()
        _restart_agents(pair)
        alarming.inspect_and_see(pair, host)
        alarming.wait_for_end(pair, "announcements-dropped")
        run.recovered()


def _silent_gateway(run: Run, pair: Administrator) -> None:
    """The gateway answers no ARP any more: one witness less, told after five minutes"""
    _gateway(pair.lab, answers=False)
    run.injected()
    try:
        alarming.wait_for_finding(pair, "gateway-no-witness", GATEWAY_SECONDS)
    finally:
        _gateway(pair.lab, answers=True)
    alarming.wait_for_end(pair, "gateway-no-witness")
    run.recovered()


def _no_witnesses(run: Run, booted: Lab) -> None:
    pair = Administrator(booted)
    for host in alarming.BOTH:
        switching.wait_for_agent(booted, host)
    pair.initialise()
    assert pair.pair().returncode == 0
    alarming.wait_for_finding(pair, "no-phones-known", switching.SOON_SECONDS)
    _gateway(booted, answers=False)
    run.injected()
    alarming.wait_for_finding(pair, "no-witnesses", GATEWAY_SECONDS)
    _gateway(booted, answers=True)
    alarming.wait_for_end(pair, "no-witnesses")
    run.recovered()


def _take_over(run: Run, booted: Lab, active: timedelta | None, standby: timedelta | None) -> None:
    pair = switching.prepare_pair(booted)
    for host, behind in (("a", active), ("b", standby)):
        if behind != timedelta(0):
            run.injected()
            alarming.set_clock(pair, host, since_1970() if behind is None else behind)
    alarming.wait_for_finding(pair, "clock-unset" if active == standby else "clocks-differ", 60.0)
    alarming.assert_cycle_with_true_age(pair)
    result = switching.take_over_from_dead(pair)
    switching.wait_for_state(pair, "b", "serving", "unverified")
    assert 0 <= result["seconds"] < 60, result
    switching.assert_call_works(booted)
    booted.on("a")
    switching.wait_for_state(pair, "a", "superseded")
    assert switching.serves(booted, "b")
    run.recovered()


def _alone_in_1970(run: Run, booted: Lab) -> None:
    """A power cut for both, and an empty battery: nobody knows how old the data is, and the person is asked."""
    pair = switching.prepare_pair(booted)
    late_clock.set_back(booted, "b", since_1970())
    booted.off("a")
    booted.off("b")
    run.injected()
    booted.on("b")
    switching.wait_for_agent(booted, "b")
    shown = switching.plan_with_verdict(pair, "peer-gone")
    assert shown["age_seconds"] is None or shown["age_seconds"] < 600
    told = {"data-age-unknown"} & switching.codes(shown)
    assert bool(told) is (shown["age_seconds"] is None)
    answer = switching.confirm(pair, shown, *told)
    assert answer.get("state") == "done", answer
    switching.wait_for_state(pair, "b", "serving", "unverified")
    run.recovered()


def _restart_agents(pair: Administrator) -> None:
    """Trials are close together after a start, ten minutes apart later."""
    for host in alarming.BOTH:
        pair.lab.sh(host, ["systemctl", "restart", "beistand-agent"])
        switching.wait_for_agent(pair.lab, host)


def _silences(pair: Administrator, host: str) -> int:
    """Count the mails of a host about a silent peer, sent or not."""
    return sum(each["kind"] == "peer-silent" for each in pair.ask(host, "mail", "outbox")["mails"])


def _gateway(booted: Lab, *, answers: bool) -> None:
    act = "add" if answers else "del"
    booted.sh("sw", ["ip", "address", act, f"{booted.settings.gateway}/24", "dev", "br0"])


def _wait_for_mail(
    booted: Lab, subject: str, *, more_than: int = 0, seconds: float = SILENCE_SECONDS
) -> None:
    wait_for(lambda: len(alarming.mails(booted, subject)) > more_than, seconds, f"more mails {subject!r}")
