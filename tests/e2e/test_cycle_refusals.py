"""What must not be imported is refused in words, leaves the standby as it was, and the next cycle works."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from beistand_lab.demo import liar
from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from beistand_lab.settings import ROOT_PASSWORD
from e2e.pairing_up import (
    GENEROUS_SECONDS,
    UNIT,
    cycle,
    initialised,
    newest,
    refused_cycle,
    wait_for_agent,
    wait_until_connected,
)
from e2e.trees import Listing, differences, listing, run_python

pytestmark = pytest.mark.lab

HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
KEYS = ["sh", "-c", "cat /var/lib/beistand-peer/.ssh/authorized_keys /var/lib/beistand/keys/known_hosts"]
OTHER_VERSION = """
import tomllib, tomli_w
from pathlib import Path
shipped = next(Path("/opt/beistand").glob("lib/*/site-packages/beistand/profiles/asterisk.toml"))
profile = tomllib.loads(shipped.read_text())
profile["detect"]["version_command"] = ["/bin/echo", "Asterisk 99.1"]
folder = Path("/etc/beistand/profile.d")
folder.mkdir(exist_ok=True)
(folder / "asterisk.toml").write_text(tomli_w.dumps(profile))
"""


@pytest.fixture(scope="module")
def unpaired(lab: Lab) -> Administrator:
    return initialised(lab)


@pytest.fixture(scope="module")
def pair(unpaired: Administrator) -> Administrator:
    """Paired, by hand or by a test before this one, and seeded."""
    if not unpaired.status("a")["pair"]:
        assert unpaired.pair().returncode == 0
    cycle(unpaired)
    return unpaired


def refused_pair(administrator: Administrator, password: str, fingerprint: str) -> dict[str, Any]:
    """The message that `beistand pair` ends with."""
    server = ["--server", administrator.lab.settings.address("b"), "--fingerprint", fingerprint]
    words = ["pair", *server, "--password-stdin", "--json"]
    done = administrator.run("a", *words, input=password + "\n", check=False)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    error: dict[str, Any] = json.loads(done.stdout or done.stderr)["error"]
    assert error["sentence"]
    assert error["hint"]
    return error


def assert_not_paired(administrator: Administrator) -> None:
    for host in ("a", "b"):
        assert administrator.status(host)["pair"] == ""
        assert administrator.lab.sh(host, KEYS, check=False).stdout == ""


@contextmanager
def untouched(lab: Lab, pair: Administrator) -> Iterator[Listing]:
    """The standby's trees stay as they are, and afterwards a cycle brings them up to date."""
    before = listing(lab, "b")
    yield before
    assert differences(before, listing(lab, "b")) == {}
    wait_until_connected(pair)
    cycle(pair)
    assert differences(listing(lab, "a"), listing(lab, "b")) == {}
    assert newest(pair, "b")["state"] == "imported"


@pytest.mark.shows("S13")
def test_a_wrong_password_pairs_nothing(unpaired: Administrator) -> None:
    """S13: refused at the login; neither side knows a pair or a key of it."""
    error = refused_pair(unpaired, "wrong", unpaired.fingerprint("b"))
    assert error["code"] == "wrong-password"
    assert_not_paired(unpaired)


@pytest.mark.shows("S20")
def test_a_standby_without_a_pair_names_no_stranger(unpaired: Administrator) -> None:
    """S20: while a serves, b's takeover says that it is not paired, and what to do; no word of a stranger's MAC."""
    done = unpaired.run("b", "takeover", "--plan", "--json", check=False)
    assert done.returncode == 1, done.stdout
    error = json.loads(done.stdout or done.stderr)["error"]
    assert error["code"] == "takeover-unpaired"
    assert "beistand pair --server" in error["hint"]


@pytest.mark.shows("S13")
def test_a_fingerprint_that_nobody_confirmed_stops_before_the_password(unpaired: Administrator) -> None:
    """S13: the key that answers is not the one on the standby's console."""
    error = refused_pair(unpaired, ROOT_PASSWORD, unpaired.fingerprint("a"))
    assert error["code"] == "fingerprint-differs"
    assert error["fields"]["shown"] == unpaired.fingerprint("b")
    assert_not_paired(unpaired)


@pytest.mark.shows("S13")
def test_a_standby_that_is_off_pairs_nothing_and_is_paired_when_it_is_on(
    lab: Lab, unpaired: Administrator
) -> None:
    """S13: the second pairing works as if there had been no first."""
    fingerprint = unpaired.fingerprint("b")
    lab.off("b")
    error = refused_pair(unpaired, ROOT_PASSWORD, fingerprint)
    assert error["code"] in {"peer-no-route", "peer-silent"}
    assert error["fields"]["server"] == lab.settings.address("b")
    lab.on("b")
    wait_for_agent(lab, "b")
    assert_not_paired(unpaired)
    done = unpaired.pair()
    assert done.returncode == 0, done.stderr
    assert unpaired.status("b")["pair"] == unpaired.status("a")["pair"] != ""


@pytest.mark.shows("S10")
def test_a_cycle_to_a_standby_that_is_off_is_tried_again(lab: Lab, pair: Administrator) -> None:
    """S10: status tells which try is next and when; a cycle by hand is that try."""
    lab.copy_in("a", "/etc/asterisk/while-off.conf", "new")
    with untouched(lab, pair):
        lab.off("b")
        begin = datetime.now(UTC)
        error = refused_cycle(pair)
        assert error["code"] in {"peer-no-route", "peer-silent", "peer-line-lost"}
        status = pair.status("a")
        assert (status["attempt"], status["attempts"]) == (2, 10)
        waits = datetime.fromisoformat(status["next_cycle"]) - begin
        assert timedelta(seconds=295) < waits < timedelta(seconds=360)
        copy = newest(pair, "a")
        assert (copy["state"], copy["failed_stage"], copy["why"]["code"]) == (
            "failed",
            "offer",
            error["code"],
        )
        lab.on("b")
        wait_for_agent(lab, "b")
    status = pair.status("a")
    assert (status["attempt"], status["next_cycle"]) == (0, "")


@pytest.mark.shows("F2")
@pytest.mark.parametrize(
    ("host", "folder", "leave"),
    [
        ("b", "/", 0),
        ("b", "/var/spool/asterisk", 500_000),
        ("a", "/", 0),
    ],
)
def test_a_full_disk_stops_the_cycle(
    lab: Lab, pair: Administrator, host: str, folder: str, leave: int
) -> None:
    """F2: told as what it is, before anything is touched; with room again it works."""
    write = "open('/var/spool/asterisk/long.wav', 'wb').write(__import__('os').urandom(2_000_000))"
    run_python(lab, "a", write)
    with untouched(lab, pair):
        lab.fill(host, folder, leave=leave)
        try:
            error = refused_cycle(pair)
        finally:
            lab.empty(host, folder)
        assert error["code"] in {
            *("no-space", "no-room-for-generation"),
            *("disk-full", "peer-disk-full", "state-disk-full"),
        }, error
        assert lab.sh("a", ["systemctl", "is-active", "asterisk"], check=False).stdout.strip() == "active"


@pytest.mark.shows("F4", "F7", "S15")
@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ("digest", "content-differs"),
        ("cut", "content-differs"),
        ("missing", "content-missing"),
        ("manifest", "manifest-differs"),
        ("counts", "counts-differ"),
        ("pair", "generation-other-pair"),
        ("source", "not-our-peer"),
        ("older", "generation-not-newer"),
        ("version", "generation-version-differs"),
        ("profile", "generation-profile-differs"),
    ],
)
def test_a_lie_is_refused(lab: Lab, pair: Administrator, wish: str, code: str) -> None:
    """F4, F7, S15: damaged, cut, foreign and replayed generations, over the pair's own channel."""
    with open(liar.__file__) as file:
        lab.copy_in("a", "/root/liar.py", file.read())
    before = listing(lab, "b")
    python = ["/opt/beistand/bin/python", "/root/liar.py", f"/etc/asterisk/{wish}.conf", f"--{wish}"]
    assert lab.sh("a", python).stdout.strip() == code
    assert differences(before, listing(lab, "b")) == {}


def test_after_all_lies_an_honest_cycle_works(lab: Lab, pair: Administrator) -> None:
    with untouched(lab, pair):
        lab.copy_in("a", "/etc/asterisk/honest.conf", "true")


def replace_host_key(lab: Lab, swap: str) -> None:
    """Another key for the standby's sshd; its sessions end, as with a reboot."""
    script = f"{swap} && systemctl restart ssh && pkill -f 'sshd: beistand-pee[r]' || true"
    lab.sh("b", ["sh", "-c", script])


@pytest.mark.shows("F11")
def test_a_changed_host_key_is_a_hard_stop(lab: Lab, pair: Administrator) -> None:
    """F11: both fingerprints are told, and nothing but a person goes on."""
    expected = pair.fingerprint("b")
    new = f"ssh-keygen -q -t ed25519 -N '' -f {HOST_KEY}"
    with untouched(lab, pair):
        replace_host_key(lab, f"mkdir /root/old && mv {HOST_KEY} {HOST_KEY}.pub /root/old && {new}")
        found = pair.fingerprint("b")
        assert found != expected
        told = {"server": lab.settings.address("b"), "expected": expected, "found": found}

        def is_shown() -> bool:
            findings = pair.status("a")["findings"]
            return [each["fields"] for each in findings if each["code"] == "host-key-changed"] == [told]

        wait_for(is_shown, GENEROUS_SECONDS, "the finding")
        error = refused_cycle(pair)
        assert (error["code"], error["fields"]) == ("host-key-changed", told)
        assert expected in error["sentence"] + error["hint"]
        assert found in error["sentence"] + error["hint"]
        replace_host_key(lab, f"mv -f /root/old/* {HOST_KEY.rsplit('/', 1)[0]}/")


@pytest.mark.shows("S4")
def test_another_version_of_the_pbx_is_a_finding_and_stops_cycles(lab: Lab, pair: Administrator) -> None:
    """S4: told at once on both sides, long before a takeover would need the same version."""

    def are_told(wanted: bool) -> Callable[[], bool]:
        def look() -> bool:
            found = [
                any(
                    each["code"] == "pbx-versions-differ" and each["severity"] == "block" for each in findings
                )
                for findings in (pair.status(host).get("findings", []) for host in ("a", "b"))
            ]
            return found == [wanted, wanted]

        return look

    with untouched(lab, pair):
        lab.sh("b", ["/opt/beistand/bin/python", "-c", OTHER_VERSION])
        lab.sh("b", ["systemctl", "restart", UNIT])
        wait_for(are_told(True), GENEROUS_SECONDS, "both sides to tell of the versions")
        error = refused_cycle(pair)
        assert error["code"] == "pbx-versions-differ"
        assert "Asterisk 99.1" in error["sentence"]
        lab.sh("b", ["rm", "/etc/beistand/profile.d/asterisk.toml"])
        lab.sh("b", ["systemctl", "restart", UNIT])
        wait_for(are_told(False), GENEROUS_SECONDS, "both sides to see the same version")
