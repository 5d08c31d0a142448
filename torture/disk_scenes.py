"""F2, F3: disks that are really full or broken: an ext4 without a block, one that the kernel stopped, a full log."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import switching
from e2e.pairing_up import GENEROUS_SECONDS, cycle, refused_cycle, wait_for_agent, wait_until_connected
from e2e.trees import differences, listing
from torture.labs import lab
from torture.run import Run

STATE = "var/lib/beistand"
IMAGE_BYTES = 48 << 20
ADMINISTRATOR = "admin@lab.example"
MAIL_SECONDS = 150.0
"""A problem is told by mail once it has lasted for a minute."""


def campaign(run: Run) -> None:
    """One lab through all scenes; the last one ends with a takeover."""
    with lab("disk-scenes") as booted:
        pair = switching.prepare_pair(booted)
        pair.run("a", "config", "set", "attempts=1", f"mail_address={ADMINISTRATOR}", "send_mail=true")
        server = [
            "--host",
            booted.settings.address("m"),
            "--encryption",
            "none",
            "--sender",
            "pbx@lab.example",
        ]
        pair.run("a", "mail", "server", *server)
        with run.case("a full log stops nothing"):
            _full_log(run, booted, pair)
        with run.case("a full disk is told by mail, once, and so is its end"):
            _mail(run, booted, pair)
        with (
            run.case("a disk that the kernel stopped: told, refused, and mended it goes on"),
            _own_disk(booted),
        ):
            _stopped(run, booted, pair)
        with run.case("a takeover on an ext4 without one free block"), _own_disk(booted):
            _full_ext4(run, booted, pair)


def _full_log(run: Run, booted: Lab, pair: Administrator) -> None:
    fill = "mount -t tmpfs -o size=64k log /var/log/beistand && head -c 100000 /dev/zero > /var/log/beistand/fill"
    for host in ("a", "b"):
        booted.sh(host, ["sh", "-c", fill], check=False)
        run.injected()
    try:
        for host in ("a", "b"):
            _wait_for_finding(pair, host, "disk-no-room")
        booted.copy_in("a", "/etc/asterisk/while-log-full.conf", "x")
        cycle(pair)
        _assert_same(booted)
    finally:
        for host in ("a", "b"):
            booted.sh(host, ["umount", "-l", "/var/log/beistand"])
    for host in ("a", "b"):
        _wait_for_finding(pair, host, "disk-no-room", is_there=False)
    run.recovered(2)


def _mail(run: Run, booted: Lab, pair: Administrator) -> None:
    booted.fill("b", "/")
    run.injected()
    try:
        wait_for(lambda: _mails(booted) == 1, MAIL_SECONDS, "the mail of the full disk")
        assert refused_cycle(pair)["code"] in {"peer-disk-full", "no-space", "state-disk-full", "disk-full"}
    finally:
        booted.empty("b", "/")
    _wait_for_finding(pair, "b", "disk-no-room", is_there=False)
    cycle(pair)
    _assert_same(booted)
    # Its end is told in the same words.
    wait_for(lambda: _mails(booted) == 2, MAIL_SECONDS, "the mail of its end")
    run.recovered()


def _stopped(run: Run, booted: Lab, pair: Administrator) -> None:
    cycle(pair)
    before = listing(booted, "b")
    device = os.stat(booted.settings.root("b") / STATE).st_dev
    block = Path("/sys/dev/block", f"{os.major(device)}:{os.minor(device)}").resolve().name
    Path("/sys/fs/ext4", block, "trigger_fs_error").write_text("1")
    run.injected()
    _wait_for_finding(pair, "b", "disk-read-only")
    _wait_for_finding(pair, "b", "state-not-written")
    booted.copy_in("a", "/etc/asterisk/while-stopped.conf", "x")
    error = refused_cycle(pair)
    assert error["hint"], error
    assert differences(before, listing(booted, "b")) == {}
    shown = switching.plan(pair)
    answer = switching.confirm(pair, shown, *switching.codes(shown))
    assert "error" in answer, "a grant that cannot be written was given"
    assert not switching.has_address(booted, "b")
    switching.wait_for_state(pair, "a", "serving")
    run.recovered()


def _full_ext4(run: Run, booted: Lab, pair: Administrator) -> None:
    cycle(pair)
    # Not as `Lab.fill` does: an ext4 needs some of its blocks to say where the others are.
    booted.sh("b", ["sh", "-c", f"cat /dev/zero > /{STATE}/rest"], check=False)
    run.injected()
    _wait_for_finding(pair, "b", "disk-no-room")
    switching.take_over_from_dead(pair)
    switching.assert_call_works(booted)
    booted.sh("b", ["rm", "-f", f"/{STATE}/rest"])
    _wait_for_finding(pair, "b", "disk-no-room", is_there=False)
    run.recovered()


@contextmanager
def _own_disk(booted: Lab) -> Iterator[None]:
    """The standby's state on a small ext4 of its own; checked and mounted anew at the end, as by a person."""
    place, image = booted.settings.root("b") / STATE, booted.settings.folder / "state.img"
    booted.off("b")
    kept = booted.settings.folder / "state.kept"
    shutil.move(place, kept)
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    _run("mkfs.ext4", "-q", "-m", "0", str(image))
    place.mkdir(mode=0o700)
    _run("mount", "-o", "loop,errors=remount-ro", str(image), str(place))
    _run("cp", "-a", f"{kept}/.", str(place))
    shutil.rmtree(kept)
    _back(booted)
    try:
        yield
    finally:
        booted.off("b")
        _run("umount", str(place))
        subprocess.run(
            ["e2fsck", "-fy", str(image)], check=False, capture_output=True
        )  # 1: it mended something
        _run("mount", "-o", "loop", str(image), str(place))
        _run("cp", "-a", f"{place}/.", str(kept))
        _run("umount", str(place))
        place.rmdir()
        shutil.move(kept, place)
        image.unlink()
        _back(booted)


def _back(booted: Lab) -> None:
    booted.on("b")
    wait_for_agent(booted, "b")
    if booted.is_on("a"):
        wait_until_connected(Administrator(booted))


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True)


def _mails(booted: Lab) -> int:
    return sum(ADMINISTRATOR in each.recipients and "is full:" in each.subject for each in booted.mails())


def _wait_for_finding(pair: Administrator, host: str, code: str, *, is_there: bool = True) -> None:
    def is_so() -> bool:
        return (code in [each["code"] for each in pair.status(host)["findings"]]) is is_there

    wait_for(is_so, GENEROUS_SECONDS, f"{code} of {host} {'to come' if is_there else 'to go'}")


def _assert_same(booted: Lab) -> None:
    assert differences(listing(booted, "a"), listing(booted, "b")) == {}
