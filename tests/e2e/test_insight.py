"""Licences, prerequisites, module log and coverage, as an administrator sees them on a real pair."""

from __future__ import annotations

import json
from typing import Any

import pytest

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import selling
from e2e.pairing_up import GENEROUS_SECONDS, cycle, paired, wait_for_agent, wait_until_connected

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def pair(lab: Lab) -> Administrator:
    administrator = paired(lab)
    wait_until_connected(administrator)
    return administrator


def codes(administrator: Administrator, host: str) -> list[str]:
    return [each["code"] for each in administrator.status(host)["findings"]]


def keys(answer: dict[str, Any], side: str, kind: str) -> list[str]:
    return [each["key"] for each in answer[side] if each["kind"] == kind]


@pytest.mark.shows("S4")
def test_prerequisites_are_shown_on_both_sides_with_what_is_wrong(lab: Lab, pair: Administrator) -> None:
    """S4: what differs between the two is seen within moments, and gone when it is mended.

    That this network has no phones and few servers is told all the while.
    """
    folder, file = "/etc/systemd/timesyncd.conf.d", "/etc/systemd/timesyncd.conf.d/own.conf"
    text = "[Time]\nNTP=192.0.2.250\n"

    def wrong() -> set[str]:
        checks = pair.ask("a", "network")["checks"]
        return {each["finding"]["code"] for each in checks if each.get("finding")}

    assert "time-servers-differ" not in wrong()
    lab.sh("b", ["sh", "-c", f"mkdir -p {folder} && cat > {file}"], input=text)
    wait_for(lambda: "time-servers-differ" in wrong(), GENEROUS_SECONDS, "the difference to be told")
    wait_for(lambda: "time-servers-differ" in codes(pair, "b"), GENEROUS_SECONDS, "it to be told on b")
    lab.sh("b", ["rm", file])
    wait_for(lambda: "time-servers-differ" not in wrong(), GENEROUS_SECONDS, "the difference to be gone")


@pytest.mark.shows("S4")
def test_both_are_updated_step_by_step(lab: Lab, pair: Administrator) -> None:
    """S4: another version on one side is told at once; cycles rest until both are alike, also over a restart."""
    cycle(pair)
    answer = pair.ask("a", "update", "pause")
    assert answer["pause"]["who"] == "root"
    assert pair.ask("a", "cycle")["error"]["code"] == "cycles-paused"
    assert pair.ask("b", "update", "pause")["error"]["code"] == "not-the-active"

    def steps(host: str) -> str:
        return " ".join(each["state"] for each in pair.ask(host, "update")["steps"])

    wait_for(lambda: steps("b") == "done now open open open", GENEROUS_SECONDS, "b to hear of the pause")
    wait_for(lambda: "cycles-paused" in codes(pair, "b"), GENEROUS_SECONDS, "b to tell of the pause")
    other_version(lab, "b")
    wait_for(
        lambda: "pbx-versions-differ" in codes(pair, "a"), GENEROUS_SECONDS, "the version of b to be told"
    )
    for host in ("a", "b"):
        wait_for(
            lambda host=host: steps(host) == "done done now open open",  # type: ignore[misc]
            GENEROUS_SECONDS,
            f"{host} to show the other version",
        )
    other_version(lab, "a")
    lab.sh("a", ["systemctl", "restart", "beistand-agent"])
    wait_for_agent(lab, "a")
    wait_for(lambda: steps("a") == "done done done done now", GENEROUS_SECONDS, "both to be alike")
    assert pair.ask("a", "update", "resume")["result"]["state"] in ("imported", "proven")
    assert steps("a") == "done done done done done"


def other_version(lab: Lab, host: str) -> None:
    """The program that the profile asks says that it is a newer one, and runs as before."""
    wrapper = '#!/bin/sh\n[ "$1" = -V ] && echo "Asterisk 99.1.0" || exec /usr/sbin/asterisk.real "$@"\n'
    program = "/usr/sbin/asterisk"
    lab.sh(host, ["sh", "-c", "cat > /root/wrapper && chmod 755 /root/wrapper"], input=wrapper)
    lab.sh(host, ["sh", "-c", f"mv {program} {program}.real && mv /root/wrapper {program}"])


@pytest.mark.shows("S13")
def test_the_way_to_the_standby_is_tried_step_by_step(lab: Lab, pair: Administrator) -> None:
    """S13: everything works; with sshd stopped, the trial ends there."""
    steps = pair.ask("a", "pair", "--test")["steps"]
    assert [each["works"] for each in steps] == [True] * 8
    lab.sh("b", ["systemctl", "stop", "ssh"])
    try:
        last = pair.ask("a", "pair", "--test")["steps"][-1]
    finally:
        lab.sh("b", ["systemctl", "start", "ssh"])
    assert (last["code"], last["works"], last["why"]["code"]) == ("ssh-port", False, "peer-port-closed")
    wait_until_connected(pair)


@pytest.mark.shows("S5", "S6", "S7", "F8")
def test_sold_licences_are_installed_on_both_and_never_travel(lab: Lab, pair: Administrator) -> None:
    """S5 to S7, F8: one signed file for the pair; a key on both sides stops the next cycle, in words."""
    file = selling.issued(lab)
    assert pair.run("a", "licence", "install", "-", input=file, check=False).returncode == 1
    selling.trust(lab)
    before = pair.ask("b", "licence", "list")["own"]
    pair.run("a", "licence", "install", "-", input=file)
    wait_for(lambda: "licence-counterpart-missing" in codes(pair, "b"), GENEROUS_SECONDS, "the finding on b")
    pair.run("b", "licence", "install", "-", input=file)
    wait_for(
        lambda: "licence-counterpart-missing" not in codes(pair, "a"), GENEROUS_SECONDS, "it to be cured"
    )

    own = pair.ask("b", "licence", "list")
    assert not {each["key"] for each in own["own"]} & {each["key"] for each in before}
    assert keys(own, "own", "redundancy-user")
    assert keys(own, "peer", "server") == [pair.status("a")["licence_key"]]
    wrong = pair.ask("a", "config", "set", f"licence_key={own['own'][0]['key']}")
    assert wrong["error"]["code"] == "licence-key-other"
    module = keys(own, "peer", "module")[0]
    pair.run("a", "licence", "remove", module)
    assert pair.ask("a", "config", "set", "attempts=3")["error"]["code"] == "module-licence-missing"
    pair.run("a", "licence", "install", module)
    pair.run("a", "config", "set", f"licence_key={pair.status('a')['licence_key']}", "attempts=3")

    cycle(pair)
    after = pair.ask("b", "licence", "list")
    assert after["own"] == own["own"]
    # What the cycle brought names no key of the active: licences are no part of it.
    found = lab.sh("b", ["grep", "-rlF", module, "/var/lib/beistand-peer", "/etc/asterisk"], check=False)
    assert found.stdout == ""


@pytest.mark.shows("S8", "B4")
def test_what_stays_behind_is_told_and_the_log_can_be_read(lab: Lab, pair: Administrator) -> None:
    """S8, B4: a database nobody declared and a folder outside the trees are found after a cycle."""
    make = "import sqlite3; sqlite3.connect('/etc/asterisk/own.db').execute('create table x (y)')"
    lab.sh("a", ["python3", "-c", make])
    lab.sh("a", ["sh", "-c", "mkdir -p /usr/share/asterisk/ours && echo x > /usr/share/asterisk/ours/one"])
    cycle(pair)

    def uncovered() -> dict[str, str]:
        return {each["path"]: each["why"] for each in pair.ask("a", "coverage")["uncovered"]}

    wait_for(lambda: "/etc/asterisk/own.db" in uncovered(), GENEROUS_SECONDS, "the look after the cycle")
    assert uncovered()["/etc/asterisk/own.db"] == "undeclared-database"
    assert uncovered()["/usr/share/asterisk/ours"] == "no-tree"
    assert not [path for path, why in uncovered().items() if why == "no-tree" and "ours" not in path]
    assert "not-covered" in codes(pair, "a")
    lines = pair.ask("a", "log", "--contains", "job-ends", "--limit", "5")["lines"]
    assert lines
    assert all(each["message"]["code"] == "job-ends" for each in lines)
    pair.run("a", "config", "remove")
    assert pair.ask("a", "cycle")["error"]["code"] == "module-config-missing"
    pair.run("a", "config", "set", "active=true")
    cycle(pair)
    assert json.loads(lab.sh("a", ["head", "-1", "/var/log/beistand/module.log"]).stdout)["level"]
