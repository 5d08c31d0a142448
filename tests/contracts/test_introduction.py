"""The first contact, over a real sshd: the host key, and one login by password."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from beistand import __version__
from beistand.adapters.introduction import SshIntroduction
from beistand.domain.config import ModuleConfig
from beistand.domain.errors import BeistandError, PeerError, PeerRefused, PeerUnreachable, Refused
from beistand.domain.message import Message
from beistand.domain.pair import Appliance
from beistand.domain.role import Grant, Side
from beistand.domain.value import Value
from beistand.protocol import Accepted, AcceptPair
from contracts.other_end import (
    OWN_IP,
    PAIR,
    PASSWORD,
    SERVER,
    OtherEnd,
    Wire,
    fingerprint_of,
    make_key,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEY = "ssh-ed25519 " + "A" * 68


@pytest.fixture
def end(running: OtherEnd) -> OtherEnd:
    """The other end, where `beistand accept-pair` keeps what it was given and answers that it accepts."""
    answer_with(running, msgspec.json.encode(accepted()))
    (running.folder / "given").unlink(missing_ok=True)
    return running


@pytest.fixture
def introduction(end: OtherEnd) -> SshIntroduction:
    return SshIntroduction(run=end.near, port=end.port, program=str(end.folder / "beistand"))


def answer_with(end: OtherEnd, answer: bytes, code: int = 0) -> None:
    (end.folder / "answer").write_bytes(answer + b"\n")
    program = end.folder / "beistand"
    program.write_text(
        f'#!/bin/sh\n[ "$*" = accept-pair ] || exit 2\n'
        f"cat >{end.folder}/given\ncat {end.folder}/answer\nexit {code}\n"
    )
    program.chmod(0o755)


def appliance(host: str) -> Appliance:
    return Appliance(
        node="00" * 8,
        host=host,
        own_address=f"{OWN_IP}/8",
        service_addresses=("127.9.9.9",),
        mac="02:00:00:00:00:01",
        beistand_version=__version__,
        pbx_version="22.1",
        profile="asterisk",
        licence_key="",
        gateway="",
        dns=(),
        is_static=True,
        now=NOW,
    )


def accepted() -> Accepted:
    return Accepted(appliance=appliance("pbx-b"), public_key=KEY)


def request() -> AcceptPair:
    grant = Grant(epoch=2, holder="00" * 8, parent=0, operator="x", at=NOW, evidence="")
    return AcceptPair(
        pair=PAIR,
        side=Side.ODD,
        active=appliance("pbx-a"),
        active_host_key=KEY,
        public_key=KEY,
        grant=grant,
        config=ModuleConfig(),
    )


def ask(introduction: SshIntroduction, end: OtherEnd, password: str = PASSWORD, user: str = "root") -> Value:
    return introduction.accept_pair(SERVER, user, password, end.keys.own_host_key(), request())


def test_the_host_key_is_fetched_with_the_fingerprint_that_ssh_keygen_prints(
    introduction: SshIntroduction, end: OtherEnd
) -> None:
    found = introduction.host_key(OWN_IP, SERVER)
    assert found.line == end.keys.own_host_key()
    assert found.fingerprint == fingerprint_of(end.host_key)


def test_fetching_the_host_key_of_nobody_says_so(introduction: SshIntroduction) -> None:
    with pytest.raises(PeerUnreachable, match="peer-port-closed"):
        replace(introduction, port=1).host_key(OWN_IP, SERVER)


def test_a_login_with_the_password_hands_over_the_request(
    introduction: SshIntroduction, end: OtherEnd
) -> None:
    assert ask(introduction, end) == accepted()
    given = (end.folder / "given").read_bytes()
    assert msgspec.json.decode(given, type=AcceptPair) == request()
    assert PASSWORD.encode() not in given


def test_a_user_name_is_never_an_option_of_ssh(introduction: SshIntroduction, end: OtherEnd) -> None:
    """It comes from a page; options of ssh run programs."""
    with pytest.raises(BeistandError, match="username"):
        ask(introduction, end, user=f"-oProxyCommand=touch {end.folder}/ran")
    assert not (end.folder / "ran").exists()


def test_the_password_stays_on_no_disk_and_in_no_argument(
    introduction: SshIntroduction, end: OtherEnd, tmp_path: Path
) -> None:
    """SPEC S13: used once, in memory. Seen in the trace of every program that the login starts."""
    trace = tmp_path / "trace"
    script = (
        "import sys, msgspec\n"
        f"sys.path[:0] = {[each for each in sys.path if each]!r}\n"
        "from contracts.test_introduction import *\n"
        "from pathlib import Path\n"
        f"i = SshIntroduction(run=Path({str(end.near)!r}), port={end.port}, program={str(end.folder / 'beistand')!r})\n"
        f"i.accept_pair(SERVER, 'root', sys.stdin.readline().rstrip(), {end.keys.own_host_key()!r}, request())\n"
    )
    strace = ["strace", "-f", "-qq", "-s", "4096", "-v", "-e", "trace=execve", "-o", trace]
    subprocess.run(
        [*strace, sys.executable, "-c", script],
        input=PASSWORD + "\n",
        text=True,
        check=True,
        timeout=60,
    )
    told = trace.read_text()
    assert "beistand-askpass" in told
    assert "correct horse" not in told
    assert not [each for each in end.near.iterdir() if each.name != "keys"]


@pytest.mark.parametrize("password", ["wrong", "", PASSWORD + " "])
def test_a_wrong_password_is_told_as_such(
    introduction: SshIntroduction, end: OtherEnd, password: str
) -> None:
    with pytest.raises(Refused, match="wrong-password"):
        ask(introduction, end, password)
    assert not (end.folder / "given").exists()


def test_a_changed_host_key_stops_before_the_password_is_sent(
    introduction: SshIntroduction, end: OtherEnd, tmp_path: Path
) -> None:
    """F11"""
    make_key(tmp_path / "other")
    pinned = (tmp_path / "other.pub").read_text()
    with pytest.raises(PeerError, match="host-key-changed") as changed:
        introduction.accept_pair(SERVER, "root", PASSWORD, pinned, request())
    assert changed.value.message.fields["found"] == fingerprint_of(end.host_key)
    assert changed.value.message.fields["expected"] == fingerprint_of(tmp_path / "other")


def test_a_standby_without_beistand_is_told_as_such(introduction: SshIntroduction, end: OtherEnd) -> None:
    with pytest.raises(Refused, match="beistand-missing-there"):
        ask(replace(introduction, program="/nowhere/beistand"), end)


def test_a_warning_beside_the_answer_does_not_matter(introduction: SshIntroduction, end: OtherEnd) -> None:
    script = (end.folder / "beistand").read_text()
    warning = "echo 'sudo: unable to resolve host pbx-b: Name or service not found' >&2"
    (end.folder / "beistand").write_text(script.replace("cat >", f"{warning}\ncat >", 1))
    assert ask(introduction, end) == accepted()


def test_a_user_without_sudo_rights_is_told_as_such(introduction: SshIntroduction, end: OtherEnd) -> None:
    script = "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n"
    (end.folder / "beistand").write_text(script)
    with pytest.raises(Refused, match="sudo-refused"):
        ask(introduction, end)


@pytest.mark.parametrize(
    ("told", "type_", "code"),
    [
        ("not-initialised", Refused, "standby-not-initialised"),
        ("already-paired", PeerRefused, "already-paired"),
    ],
)
def test_the_refusal_of_the_agent_there_arrives(
    introduction: SshIntroduction, end: OtherEnd, told: str, type_: type[BeistandError], code: str
) -> None:
    answer_with(end, msgspec.json.encode(Message(code=told)), code=1)
    with pytest.raises(type_) as refused:
        ask(introduction, end)
    assert refused.value.message.code == code


def test_an_answer_that_is_none_is_a_failure_with_its_words(
    introduction: SshIntroduction, end: OtherEnd
) -> None:
    answer_with(end, b"Segmentation fault", code=1)
    with pytest.raises(BeistandError, match=r"pairing-unreadable .*Segmentation fault"):
        ask(introduction, end)


def test_a_machine_that_says_nothing_is_unreachable_in_time(
    introduction: SshIntroduction, end: OtherEnd
) -> None:
    """F12"""
    wire = Wire(end.port)
    wire.freeze()
    try:
        with pytest.raises(PeerUnreachable, match="peer-silent"):
            replace(introduction, port=wire.port).host_key(OWN_IP, SERVER)
    finally:
        wire.close()
