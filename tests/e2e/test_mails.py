"""S11, S21, S22, F13: what the mail host of the lab receives, and what phones hear, seen from outside."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from beistand_lab.demo.administrator import Administrator
from beistand_lab.errors import ConditionNotMet
from beistand_lab.lab import Lab, wait_for
from beistand_lab.mails import Mail
from beistand_lab.settings import PHONES
from beistand_lab.sip_messages import SipMessage
from e2e.pairing_up import kill_agent, refused_cycle, wait_until_connected
from e2e.switching import (
    SOON_SECONDS,
    codes,
    confirm,
    cycle,
    plan_with_verdict,
    prepare_pair,
    wait_for_state,
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
ADMINISTRATOR = "admin@lab.example"
USERS = {"alice@lab.example", "bob@lab.example", "carol@lab.example"}
STEP_SECONDS = 10.0
"""So long Beistand waits for a mail server at each step."""


@pytest.fixture(scope="module")
def pair(lab: Lab) -> Iterator[Administrator]:
    administrator = prepare_pair(lab)
    yield administrator
    lab.hang_mail_host(hangs=False)


def mails_to(lab: Lab, recipient: str, subject: str = "") -> list[Mail]:
    return [each for each in lab.mails() if recipient in each.recipients and subject in each.subject]


def wait_for_mail(lab: Lab, recipient: str, subject: str) -> Mail:
    try:
        wait_for(lambda: bool(mails_to(lab, recipient, subject)), SOON_SECONDS, f"the mail {subject!r}")
    except ConditionNotMet as error:
        came = [each.subject for each in mails_to(lab, recipient)]
        waiting = {
            host: lab.sh(host, ["beistand", "mail", "outbox"], check=False).stdout for host in ("a", "b")
        }
        raise ConditionNotMet(f"{error} to {recipient}; what came: {came}; what waits: {waiting}") from None
    (mail,) = mails_to(lab, recipient, subject)
    return mail


@pytest.mark.shows("S22")
def test_a_mail_server_is_set_tried_and_known_to_the_standby(lab: Lab, pair: Administrator) -> None:
    """S22: both missed a mail server; then a test mail arrives, and the standby knows the server, too."""
    for host in ("a", "b"):
        assert "mail-server-missing" in codes(pair.status(host))
    host = lab.settings.address("m")
    options = ["--host", host, "--encryption", "none", "--sender", "pbx@lab.example"]
    assert pair.ask("a", "mail", "server", *options)["port"] == 25
    trial = pair.ask("a", "mail", "test", ADMINISTRATOR)
    assert [each["works"] for each in trial["steps"]] == [True] * 6
    assert wait_for_mail(lab, ADMINISTRATOR, "test mail").sender == "pbx@lab.example"
    wait_for(lambda: pair.ask("b", "mail", "show")["host"] == host, SOON_SECONDS, "the standby to know it")
    wrong = pair.ask("a", "mail", "server", "--port", "26")
    assert wrong["port"] == 26
    steps = pair.ask("a", "mail", "test", ADMINISTRATOR)["steps"]
    assert steps[-1]["why"]["code"] == "mail-connection-refused"
    pair.run("a", "mail", "server", "--port", "25")
    for each in ("a", "b"):
        assert "mail-server-missing" not in codes(pair.status(each))


@pytest.mark.shows("S11")
def test_a_failed_cycle_is_told_once_and_that_it_works_again(lab: Lab, pair: Administrator) -> None:
    """S11: which try of how many, why, and when the next; then that it works."""
    pair.run("a", "config", "set", "send_mail=true", f"mail_address={ADMINISTRATOR}")
    lab.sh("b", ["systemctl", "stop", "beistand-agent"])
    refused_cycle(pair)
    mail = wait_for_mail(lab, ADMINISTRATOR, "cycle failed")
    refused_cycle(pair)
    assert "(try 1 of 10)" in mail.subject
    assert "pbx-b" in mail.text or lab.settings.address("b") in mail.text
    assert f"https://{lab.settings.address('a')}:8443/" in mail.text
    lab.sh("b", ["systemctl", "start", "beistand-agent"])
    wait_until_connected(pair)
    cycle(pair)
    wait_for_mail(lab, ADMINISTRATOR, "works again")
    assert len(mails_to(lab, ADMINISTRATOR, "cycle failed")) == 1


@pytest.mark.shows("S21", "F13", "S11")
def test_everybody_gets_one_mail_though_the_server_hung_and_the_agent_was_killed(
    lab: Lab, pair: Administrator
) -> None:
    """S21, F13: a mail server that takes connections and never says a word delays nothing and loses nothing."""
    lab.off("a")
    lab.hang_mail_host()
    shown = plan_with_verdict(pair, "peer-gone")
    begin = time.time()
    result = confirm(pair, shown)["result"]
    kill_agent(lab, "b")
    assert result["phones"] == len(PHONES)
    wait_for_state(pair, "b", "serving", "unverified")
    tried = wait_for(lambda: _tries(lab, result["granted_at"]), SOON_SECONDS, "a try to send a mail")
    # Whoever waited for the mail server would have waited so long; how fast a PBX starts is another matter.
    assert result["answered_at"] < tried[0] + STEP_SECONDS
    assert not any(mails_to(lab, each) for each in USERS)
    wait_for(lambda: "mails-wait" in codes(pair.status("b")), SOON_SECONDS, "the finding that mails wait")
    kill_agent(lab, "b")
    lab.hang_mail_host(hangs=False)
    wait_for_state(pair, "b", "serving", "unverified")
    pair.run("b", "mail", "retry")
    wait_for(lambda: all(mails_to(lab, each) for each in USERS), SOON_SECONDS, "a mail to every user")
    wait_for_mail(lab, ADMINISTRATOR, "takeover is done")
    wait_for(lambda: _waiting(pair) == 0, SOON_SECONDS, "an empty outbox")
    got = Counter(name for mail in lab.mails() for name in mail.recipients if name in USERS)
    assert got == dict.fromkeys(USERS, 1)
    (mail,) = mails_to(lab, "alice@lab.example")
    assert lab.settings.service_address in mail.text
    _assert_each_phone_was_told_once(lab, begin)


def _assert_each_phone_was_told_once(lab: Lab, begin: float) -> None:
    told = [each for each in lab.capture.sip_messages(begin) if _is_check_sync(each)]
    assert {each.source for each in told} == {lab.settings.service_address}
    calls = {(each.destination, each.call_id) for each in told}
    assert Counter(address for address, _ in calls) == {
        lab.settings.phone_address(number): 1 for number in PHONES
    }


def _is_check_sync(message: SipMessage) -> bool:
    return message.method == "NOTIFY" and not message.status and message.header("Event") == "check-sync"


def _tries(lab: Lab, begin: float) -> list[float]:
    """When packets of the standby's own address to the mail host have passed the switch."""
    here, there = lab.settings.address("b"), lab.settings.address("m")
    return [
        each.time
        for each in lab.capture.ip_packets(begin)
        if (each.source, each.destination, each.destination_port) == (here, there, 25)
    ]


def _waiting(pair: Administrator) -> int:
    return sum(each["state"] == "waiting" for each in pair.ask("b", "mail", "outbox")["mails"])
