"""Cycle: seed, nothing changed, and one per cent changed, beside peers that bring the same tree."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from beistand_lab.errors import LabError
from beistand_lab.lab import Lab, wait_for
from bench.engines import TREE, Beistand, Borg, ChangedFilesOnly, Engine, Restic, RsyncLinkDest, let_in
from bench.figures import Report
from bench.memory import peaks
from bench.noise import Noise
from bench.pair import Where, paired

MOST_SCANS, MOST_BESIDE = 1.5, 0.5
"""A cycle that finds nothing may take so many plain scans, and seconds beside them."""
MOST_BYTES_UNCHANGED = 20_000
MOST_BYTES_CHANGED = 1.05
MOST_MEGABYTES = 120.0
SETTLE_SECONDS = 3
"""Files that changed within 2 s of a scan are distrusted at the next one: a tree at rest is measured."""
DATA = "/root/data.py"


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured."""

    files: int
    seed: int
    quiet_runs: int
    rounds: int


@dataclass
class _Runs:
    seconds: list[float] = field(default_factory=list)
    wire: list[float] = field(default_factory=list)


class _Bench:
    def __init__(self, lab: Lab, size: Size, noise: Noise, say: Callable[[str], None]) -> None:
        self.lab, self.size, self._noise, self.say = lab, size, noise, say

    def data(self, host: str, what: str, root: str, *words: str) -> dict[str, Any]:
        """Run bench/data.py on an appliance."""
        argv = ["/usr/bin/python3", DATA, what, root, *words]
        answer: dict[str, Any] = json.loads(self.lab.sh(host, argv, timeout=600).stdout)
        return answer

    def timed(self, engine: Engine, runs: _Runs, what: str) -> None:
        """Run an engine once: seconds as its caller waits, bytes between the appliances at the switch."""
        self._noise.sample()
        begin, began = time.time(), time.perf_counter()
        engine.run()
        runs.seconds.append(time.perf_counter() - began)
        settings = self.lab.settings
        wire = self.lab.capture.bytes_between(settings.mac("a"), settings.mac("b"), begin, time.time())
        runs.wire.append(wire)
        engine.tidy()
        self.say(f"{what}, {engine.name}: {runs.seconds[-1]:.2f} s, {wire:,} bytes")

    def settle(self) -> None:
        end = time.monotonic() + SETTLE_SECONDS
        wait_for(lambda: time.monotonic() > end, SETTLE_SECONDS + 5, "the tree to be at rest")


def measure(where: Where, size: Size, report: Report, noise: Noise, say: Callable[[str], None]) -> None:
    """Everything about cycles, in one lab."""
    with paired(where, disk_size="8g", spool_size="3g") as administrator:
        lab = administrator.lab
        bench = _Bench(lab, size, noise, say)
        idle = {host: peaks(lab, host) for host in ("a", "b")}
        for host in ("a", "b"):
            lab.copy_in(host, DATA, Path(__file__).with_name("data.py").read_text())
        made = bench.data("a", "make", TREE, "--files", str(size.files), "--seed", str(size.seed))
        say(f"made {made['files']} files and {made['recordings']} recordings, {made['bytes']:,} bytes")
        bench.settle()
        ours = Beistand(administrator)
        seed = _Runs()
        bench.timed(ours, seed, "seed")
        report.add(f"seed of {size.files:,} files: beistand", "s", seed.seconds)
        _nothing_changed(bench, ours, report)
        let_in(lab)
        _little_changed(bench, ours, report)
        _memory(lab, idle, report)


def _nothing_changed(bench: _Bench, ours: Engine, report: Report) -> None:
    """Plain scans and cycles in turn, after one of each to warm up."""
    cycles, scans = _Runs(), []
    bench.timed(ours, _Runs(), "warm up")
    bench.data("a", "scan", TREE)
    for _ in range(bench.size.quiet_runs):
        scans.append(float(bench.data("a", "scan", TREE)["seconds"]))
        bench.timed(ours, cycles, f"nothing changed (plain scan {scans[-1]:.3f} s)")
    report.add("one plain lstat scan in Python", "s", scans)
    report.add("cycle, nothing changed", "s", cycles.seconds)
    wire = report.add("cycle, nothing changed: on the wire", "bytes", cycles.wire)
    beside = [taken - MOST_SCANS * scan for taken, scan in zip(cycles.seconds, scans, strict=True)]
    report.hold("no-change cycle, beside 1.5 such scans", "s", beside, MOST_BESIDE)
    report.hold("no-change cycle, on the wire", "bytes", wire.runs, MOST_BYTES_UNCHANGED)


def _little_changed(bench: _Bench, ours: Engine, report: Report) -> None:
    """The same changes for all of them, one after the other."""
    lab, size = bench.lab, bench.size
    peers: list[Engine] = [RsyncLinkDest(lab), Borg(lab), Restic(lab)]
    for peer in peers:
        seed = _Runs()
        bench.timed(peer, seed, "seed")
        report.add(f"seed of {size.files:,} files: {peer.name}", "s", seed.seconds)
    oracle = ChangedFilesOnly(lab)
    engines = [ours, *peers, oracle]
    runs = {engine.name: _Runs() for engine in engines}
    for number in range(1, size.rounds + 1):
        words = ("--seed", str(size.seed + number), "--list", ChangedFilesOnly.LIST)
        told = bench.data("a", "change", TREE, *words)
        bench.say(f"round {number}: {told['changed']} files written, {told['gone']} removed")
        bench.settle()
        for engine in engines:
            bench.timed(engine, runs[engine.name], "1 % changed")
    _see_equal(bench, [ours, *peers])
    mine = runs[ours.name]
    for each in (ours, *peers):
        report.add(f"1 % changed, import included: {each.name}", "s", runs[each.name].seconds)
    for each in engines:
        report.add(f"1 % changed, on the wire: {each.name}", "bytes", runs[each.name].wire)
    for peer in peers:
        ratios = _ratios(mine.seconds, runs[peer.name].seconds)
        report.hold(f"1 % changed, seconds: beistand / {peer.name}", "", ratios, 1.0)
    ratios = _ratios(mine.wire, runs[oracle.name].wire)
    report.hold(f"1 % changed, bytes: beistand / {oracle.name}", "", ratios, MOST_BYTES_CHANGED)


def _ratios(ours: list[float], theirs: list[float]) -> list[float]:
    """Round by round: both had the same changes to bring, under about the same noise."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def _see_equal(bench: _Bench, engines: list[Engine]) -> None:
    """Raise LabError where an engine's live tree is not what stands on a: its figures would mean nothing."""
    wanted = bench.data("a", "digest", TREE)
    for engine in engines:
        if bench.data("b", "digest", engine.live) != wanted:
            raise LabError(f"{engine.name} did not bring the tree over")


def _memory(lab: Lab, idle: dict[str, dict[str, float]], report: Report) -> None:
    """Each process on its own, and before and after, because memory should not grow with the data."""
    most = 0.0
    for host, side in (("a", "active"), ("b", "standby")):
        for which, peak in sorted(peaks(lab, host).items()):
            before = idle[host].get(which)
            if before is not None:
                report.add(f"memory, {which} of the {side}: peak before the seed", "MB", [before])
            report.add(f"memory, {which} of the {side}: peak at the end", "MB", [peak])
            most = max(most, peak)
    report.hold("memory of agent and peer, the biggest peak", "MB", [most], MOST_MEGABYTES)
