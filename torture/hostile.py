"""F4 to F7: damaged, tampered, foreign and huge generations and export files, by the hundred thousand."""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from itertools import combinations
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest
import zstandard

from beistand.adapters.tar_blocks import END, member_block, padding
from beistand.domain.boundary import MOST_ENTRIES
from beistand.domain.errors import BeistandError
from beistand.domain.export import HEADER, MANIFEST, SIGNATURE
from beistand.domain.manifest import encode
from fakes.exporting import FakeSignatures
from fakes.standby import File, Folder
from torture import hostile_files, hostile_peer
from torture.run import Run

EXTENT = 20
"""Times as many examples as `make test` takes of each property."""
EDGE = 2048
"""Each byte so near to the begin and the end of a file is taken; of the rest one of STRIDE."""
STRIDE = 97
MEMORY = 256 << 20
CHUNK = 1 << 16
_GOOD_FOLDER = {"etc": Folder()}


def campaign(run: Run) -> None:
    """Properties first, then every place of a file."""
    os.environ.setdefault("BEISTAND_FUZZ_EXTENT", str(max(1, EXTENT // run.every)))
    os.environ.setdefault("BEISTAND_FUZZ_EXAMPLES", str(max(4, 60 // run.every)))
    _properties(run)
    hostile_peer.speeches(run)
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        _Files(run, folder).go()
    finally:
        rmtree(folder)
    hostile_files.campaign(run)


class _Reports:
    """A plugin of pytest that makes a case of each test."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.failed:
            with self._run.case(report.nodeid):
                assert not report.failed, report.longreprtext


def _properties(run: Run) -> None:
    words = ["-q", "-n", "0", f"--hypothesis-seed={run.seed}"]
    with redirect_stdout(io.StringIO()) as said:
        ended = pytest.main([*words, "tests/fuzz"], plugins=[_Reports(run)])
    with run.case("the properties"):
        assert ended in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED), said.getvalue()
    from fuzz.extent import attacks  # it reads the extent when it is imported

    run.say(f"  attacks: {dict(attacks)}")
    run.injected(sum(attacks.values()))
    run.recovered(sum(attacks.values()))  # each one looked whether anything had changed


class _Files:
    """One good export file, and everything that can be made of it."""

    def __init__(self, run: Run, folder: Path) -> None:
        from fuzz.test_exports import Attacked

        self._run, self._folder = run, folder
        self._attacked = Attacked(folder / "box")
        self._good = self._attacked.good
        self._plain = zstandard.ZstdDecompressor().stream_reader(self._good).read()

    def go(self) -> None:
        for what, body in (("packed", self._good), ("unpacked", self._plain)):
            with self._run.case(f"each byte of the {what} file flipped"):
                for at in self._places(len(body)):
                    self._flip(body, at, is_packed=body is self._good)
            with self._run.case(f"the {what} file cut everywhere"):
                for at in self._places(len(body) - 1):
                    self._refused(body[:at], is_packed=body is self._good)
        with self._run.case("any two members swapped, any one left out or twice"):
            self._members()
        count = MOST_ENTRIES // self._run.every
        for announced, told in (
            (1000, "counts-differ"),
            (count - 1, "counts-differ"),
            (count, "export-damaged"),  # the contents are missing
            (MOST_ENTRIES + 1, "generation-malformed"),
        ):
            with self._run.case(f"{count} empty entries, announced as {announced}"):
                self._many(count, announced, told)

    def _places(self, size: int) -> Iterator[int]:
        step = STRIDE * self._run.every
        for at in range(0, size, self._run.every):
            if at < EDGE or at >= size - EDGE or at % CHUNK == 0 or at % step == 0:
                yield at

    def _flip(self, body: bytes, at: int, *, is_packed: bool) -> None:
        flipped = body[:at] + bytes([body[at] ^ (1 << self._run.random.randrange(8))]) + body[at + 1 :]
        self._run.injected()
        attacked = self._attacked
        attacked.file.write_bytes(flipped if is_packed else _compressed(flipped))
        try:
            header = attacked.standby.check(attacked.file)
        except BeistandError:
            pass
        else:  # a bit that means nothing: every content was still the signed one
            attacked.file.write_bytes(self._good)
            assert header == attacked.standby.check(attacked.file), f"byte {at}"
        assert attacked.seen()[0] == attacked.before[0], f"byte {at}"
        self._run.recovered()

    def _refused(self, body: bytes, *, is_packed: bool) -> None:
        self._run.injected()
        self._attacked.refused(body if is_packed else _compressed(body))
        self._run.recovered()

    def _members(self) -> None:
        from fuzz.test_exports import packed, swapped

        good = self._attacked.members()
        for one, other in combinations(range(len(good)), 2):
            named = [*good]
            named[one], named[other] = named[other], named[one]
            for members in (swapped(good, one, other), named):
                self._refused(packed(members), is_packed=True)
        for at in range(len(good)):
            self._refused(packed([*good[:at], *good[at + 1 :]]), is_packed=True)
            self._refused(packed([*good[: at + 1], *good[at:]]), is_packed=True)

    def _many(self, count: int, announced: int, told: str) -> None:
        """Signed by the peer itself: a broken-in active is no reason for a full disk or no memory here."""
        attacked = self._attacked
        box, file = attacked.box, self._folder / "many"
        template = box.entries({"etc/x": File(b"")})[0]
        begin, _, rest = encode(template).partition(template.path.encode())
        head = [encode(each) for each in box.entries(_GOOD_FOLDER) if each.path.endswith("/etc")]

        def lines() -> Iterator[bytes]:
            yield from head
            for number in range(count - len(head)):
                yield b"%s%s%07d%s" % (begin, template.path.encode(), number, rest)

        digest, size = hashlib.sha256(), 0
        for line in lines():
            digest.update(line)
            size += len(line)
        header = json.loads(attacked.members()[0][1])
        header["generation"].update(manifest=digest.hexdigest(), entries=announced, size=0)
        body = json.dumps(header).encode()
        signed = [(HEADER, body), (SIGNATURE, FakeSignatures("the active's", "").sign(body))]
        with file.open("wb") as out, zstandard.ZstdCompressor(level=3).stream_writer(out) as stream:
            for name, content in signed:
                stream.write(member_block(name, len(content)) + content + padding(len(content)))
            stream.write(member_block(MANIFEST, size))
            for line in lines():
                stream.write(line)
            stream.write(padding(size) + END)
        self._run.say(f"  {count} entries in {file.stat().st_size >> 20} MiB")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self._run.injected()
        found = _told(attacked, file)
        more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        assert found == told, found
        assert more < MEMORY, f"{more >> 20} MiB more"
        assert attacked.seen()[0] == attacked.before[0]
        left = [each for each in (box.state / "manifests").iterdir() if each.stat().st_size > 1_000_000]
        assert left == [], left
        self._run.recovered()


def _told(attacked: Any, file: Path) -> str:
    try:
        attacked.standby.check(file)
    except BeistandError as error:
        return error.message.code
    return ""


def _compressed(plain: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3, write_checksum=False).compress(plain)
