"""The first import from a file (S16): look at an uploaded export, and save it as this standby's data.

An export is believed exactly as far as what the peer sends in a cycle: the peer's own signature, this
pair, this profile and version, newer than what is live, every digest; and the same code stages and imports it.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from beistand.domain.boundary import Boundary
from beistand.domain.errors import BadGeneration, Refused
from beistand.domain.export import (
    HEADER,
    LONGEST_HEADER,
    LONGEST_SIGNATURE,
    MANIFEST,
    SIGNATURE,
    ExportHeader,
    decode_header,
    member_name,
)
from beistand.domain.generation import Copy, Generation
from beistand.domain.imports import Operation, undo_name
from beistand.domain.manifest import DATABASE_PREFIX, Entry, Kind, decode, shown
from beistand.operations.importing import live_base, recover_import, told
from beistand.operations.lineage import load_lineage, sweep
from beistand.operations.planning import write_operations
from beistand.operations.receiving import check_offer, receive_from
from beistand.operations.staging import check_space
from beistand.operations.verifying import keep_manifest
from beistand.ports.exports import Exports, OpenExport
from beistand.ports.node import Node
from beistand.ports.progress import Progress

PIECE = 1 << 18


def check_export(node: Node, exports: Exports, path: Path, passphrase: str, job: Progress) -> ExportHeader:
    """Return what a file holds if it may be imported here: signature, pair, versions, every digest, space.

    Nothing live is touched and nothing stays behind. Raises what `check_offer` does, Refused
    `export-before-pairing`, `passphrase-missing`, `passphrase-wrong`, `export-format-newer`; BadGeneration
    `export-damaged`, `export-signature-wrong` and what `keep_manifest` raises; NoSpace, Failed, Cancelled.
    """
    recover_import(node, job)
    job.stage("inspect")
    with told(), exports.open(path, passphrase) as file:
        header = _read_header(node, exports, file)
        source = _ExportSource(node, header.generation, file)
        with _nothing_left(node):
            _check_plan(node, header.generation, source, job)
            job.stage("verify")
            source.verify(job)
    return header


def import_export(
    node: Node, exports: Exports, path: Path, passphrase: str, shown_header: ExportHeader, job: Progress
) -> Copy:
    """Make a file that was checked this standby's data; return the copy, as recorded.

    Raises Refused `upload-changed` where it is not the one that was shown, and what `check_export` does;
    then the generation that was live before is live still.
    """
    recover_import(node, job)
    with told(), exports.open(path, passphrase) as file:
        header = _read_header(node, exports, file)
        if header != shown_header:
            raise Refused("upload-changed")
        source = _ExportSource(node, header.generation, file)
        return receive_from(node, source, header.generation, live_base(node), job)


def _read_header(node: Node, exports: Exports, file: OpenExport) -> ExportHeader:
    body = file.small(HEADER, LONGEST_HEADER)
    header = decode_header(body)
    if not header.generation.pair:
        raise Refused("export-before-pairing")
    check_offer(node, header.generation)
    if not exports.is_by_peer(body, file.small(SIGNATURE, LONGEST_SIGNATURE)):
        raise BadGeneration("export-signature-wrong", host=header.host[:100])
    return header


def _check_plan(node: Node, generation: Generation, source: "_ExportSource", job: Progress) -> None:
    """See that all of it may be written here, and that there is room for it."""
    boundary, base = Boundary(node.profile), live_base(node)
    keep_manifest(node, generation, "", boundary, job, source.manifest())
    if generation.manifest != base:
        undo = undo_name(load_lineage(node), generation)
        check_space(node, write_operations(node, generation.manifest, base, undo, boundary, job.check))


@contextmanager
def _nothing_left(node: Node) -> Iterator[None]:
    try:
        yield
    finally:
        lineage = load_lineage(node)
        sweep(node, lineage)
        node.manifests.prune(lineage.manifests)


class _ExportSource:
    """The generation in an open file (receiving.Source): its contents come in the order of the manifest."""

    is_delta = False

    def __init__(self, node: Node, generation: Generation, file: OpenExport) -> None:
        self._node = node
        self._generation = generation
        self._file = file
        self._members = self._walk()

    def manifest(self) -> BinaryIO:
        return self._file.content(MANIFEST)

    def content(self, operation: Operation) -> BinaryIO:
        wanted = DATABASE_PREFIX + operation.path if operation.is_database else operation.path
        for entry, content in self._members:
            if entry.path == wanted:
                return content
        raise BadGeneration("content-missing", path=shown(operation.path))

    def staged(self) -> None:
        """Nothing: the upload goes when the import has ended."""

    def verify(self, job: Progress) -> None:
        """Read everything. Raises BadGeneration `content-differs`, naming the path."""
        done, total = 0, self._generation.size
        for entry, content in self._members:
            digest = hashlib.sha256()
            while piece := content.read(PIECE):
                job.check()
                digest.update(piece)
            if digest.hexdigest() != entry.digest:
                raise BadGeneration("content-differs", path=shown(entry.path))
            done += entry.size
            job.advance(min(done, total), total)
        self._file.end()

    def _walk(self) -> Iterator[tuple[Entry, BinaryIO]]:
        lines = self._node.manifests.lines(self._generation.manifest)
        for number, entry in enumerate(map(decode, lines), start=1):
            if entry.kind in (Kind.FILE, Kind.DATABASE):
                yield entry, self._file.content(member_name(entry, number), entry.size)
