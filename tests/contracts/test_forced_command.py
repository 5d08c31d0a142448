"""What the other appliance's key can do here, and what it cannot, over a real sshd."""

import re
import stat
import subprocess
from pathlib import Path

import pytest

from contracts.other_end import OWN_IP, SERVER, OtherEnd, make_key

GOOD = "rsync --server -pIRze.LsfxCIvu --timeout=120 --info=STATS2 --inplace --no-implied-dirs . files"
HOSTILE = [
    "sh",
    "id; sh",
    "beistand",
    "beistand peer; id",
    "beistand  peer",
    "beistand takeover",
    "beistand peer\nid",
    "rsync",
    "rsync --server --sender -pIRze.LsfxCIvu . files",
    GOOD.replace("--server", "--server --sender"),
    GOOD.replace(" files", " inbox"),
    GOOD.replace(" files", " /etc"),
    GOOD.replace(" files", " files/../../.ssh"),
    GOOD.replace(" files", " ../files"),
    GOOD.replace(" files", " file*"),
    GOOD.replace(" files", " {files,manifest}"),
    GOOD.replace(" files", " files manifest"),
    GOOD.replace(" files", " $HOME"),
    GOOD + "; id",
    GOOD + "\nid",
    GOOD + " --delete",
    GOOD.replace(" .", " --delete ."),
    GOOD.replace(" .", " -e sh ."),
    GOOD.replace(" .", " --rsh=sh ."),
    GOOD.replace(" .", " --log-file=/tmp/x ."),
    GOOD.replace(" .", " --temp-dir=/tmp ."),
    GOOD.replace(" .", " --partial-dir=/tmp ."),
    GOOD.replace(" .", " --backup-dir=/tmp ."),
    GOOD.replace(" .", " --link-dest=/etc ."),
    GOOD.replace(" .", " --copy-dest=/etc ."),
    GOOD.replace(" .", " --files-from=/etc/shadow ."),
    GOOD.replace(" .", " --daemon ."),
    GOOD.replace(" .", " --config=/tmp/x ."),
    GOOD.replace(" .", " --bwlimit=x ."),
    GOOD.replace("-pIRz", "-plIRz"),
    GOOD.replace("-pIRz", "-pDIRz"),
    GOOD.replace("-pIRz", "-pogIRz"),
    GOOD.replace("rsync ", "/tmp/rsync ", 1),
    GOOD.replace("rsync ", "rsync\t", 1),
    "scp -t files",
    "/usr/lib/openssh/sftp-server",
    "$(id)",
    "`id`",
    "x" * 100_000,
]


@pytest.mark.parametrize("command", HOSTILE, ids=lambda command: repr(command[-60:]))
def test_the_forced_command_refuses(end: OtherEnd, command: str) -> None:
    """S15: nothing but the peer's verbs and our own transfer."""
    told = _session(end, command)
    assert (told.returncode, told.stdout) == (1, b"")
    assert told.stderr.decode().splitlines() == ["beistand peer: command-refused"]
    assert list(end.inbox.iterdir()) == []


@pytest.mark.parametrize("wish", ["-tt", "-s"])
def test_the_key_opens_no_terminal_and_no_subsystem(end: OtherEnd, wish: str) -> None:
    told = _session(end, "sftp", extra=[wish])
    assert told.returncode in (1, 255)
    assert told.stdout == b""


def _session(
    end: OtherEnd, command: str, *, stdin: bytes = b"", extra: list[str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    program = end.line().program(shared=True)
    return subprocess.run(
        [*program, *(extra or []), f"beistand-peer@{SERVER}", command],
        input=stdin,
        capture_output=True,
        timeout=30,
        check=False,
    )


def _framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def test_a_request_of_people_never_reaches_the_agent(end: OtherEnd) -> None:
    """S15, F18: the peer's key asks what a peer may ask."""
    told = _session(end, "beistand peer", stdin=_framed(b'{"verb":"takeover","digest":"","operator":"x"}'))
    assert b"bad-request" in told.stdout
    assert end.requests == []


def test_keys_are_private_and_the_authorised_line_is_narrow(end: OtherEnd) -> None:
    keys = end.keys
    for path in (keys.private_key, keys.known_hosts):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.folder.stat().st_mode) == 0o700
    line = keys.authorised.read_text()
    wanted = rf'restrict,from="{re.escape(OWN_IP)}",command="\S+" ssh-ed25519 \S+\n'
    assert re.fullmatch(wanted, line)
    # The account reads its authorised key and cannot write it.
    status = keys.authorised.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o640, 0)


@pytest.mark.parametrize(
    "line",
    ["", "ssh-rsa AAAA", 'ssh-ed25519 AAAA" x', "ssh-ed25519 " + "A" * 68 + "\nssh-ed25519 " + "B" * 68],
)
def test_only_one_ed25519_key_is_ever_written(end: OtherEnd, line: str) -> None:
    before = end.keys.authorised.read_text()
    with pytest.raises(Exception, match="bad-ssh-key"):
        end.keys.authorise(line, OWN_IP)
    assert end.keys.authorised.read_text() == before


def test_an_undone_pairing_leaves_the_keys_as_they_were(end: OtherEnd, tmp_path: Path) -> None:
    before = (end.keys.authorised.read_bytes(), end.keys.known_hosts.read_bytes())
    put_back = end.keys.undo_point()
    make_key(tmp_path / "other")
    other = (tmp_path / "other.pub").read_text()
    end.keys.authorise(other, "127.0.0.9")
    end.keys.trust(SERVER, other)
    put_back()
    assert (end.keys.authorised.read_bytes(), end.keys.known_hosts.read_bytes()) == before
