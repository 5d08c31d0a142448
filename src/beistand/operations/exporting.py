"""Save a generation as one file (S14): on the active a new one, on the standby the one that is imported."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

from beistand.domain.errors import Failed, NoSpace, Refused
from beistand.domain.export import (
    FORMAT,
    HEADER,
    MANIFEST,
    RESERVE_BYTES,
    SIGNATURE,
    BackupRecord,
    ExportHeader,
    Seed,
    encode_header,
    free_id,
    member_name,
    parts_of,
    surplus,
)
from beistand.domain.generation import Generation
from beistand.domain.manifest import Entry, Kind, database_name, decode
from beistand.domain.role import Role
from beistand.operations.backup import LiveThere, begin_generation, dump_path, take_generation
from beistand.operations.importing import live_base, live_generation, mark_drifted, told
from beistand.operations.kept_manifests import note_seed, prune_manifests
from beistand.operations.planning import Drifted
from beistand.operations.transfer import Unsettled
from beistand.ports.exports import Backups, ExportDraft, Exports
from beistand.ports.node import Node
from beistand.ports.progress import Progress

TAKES = 8
"""A generation whose files are rewritten while they are saved is taken anew so often."""
TRIES_OF_A_FILE = 2
"""A file that was rewritten so often meanwhile is left for the next backup, and told."""
BLOCKS = 1024
"""Bytes that a member costs beside its content, at most."""


@dataclass(frozen=True, kw_only=True)
class LocalBackups:
    """What local backups need beside the node."""

    exports: Exports
    folder: Backups
    host: str
    version: str
    """Of Beistand."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """Who wants it, and how."""

    asked: bool
    """By hand, not by the schedule."""
    passphrase: str = ""
    superseded_by: int = 0
    """The epoch that took over from this data; 0: an ordinary backup."""

    @property
    def is_scheduled(self) -> bool:
        return not self.asked and not self.superseded_by


def make_backup(node: Node, local: LocalBackups, order: Order, job: Progress) -> BackupRecord:
    """Write one file into the folder of local backups; scheduled ones beyond the retention go.

    A kill leaves the folder as it was, and a draft that the next sweep removes. Raises NoSpace
    `backup-no-space`, `disk-full`; Refused `nothing-imported`, `live-moved-on`; Failed; Cancelled.
    """
    with told():
        local.folder.sweep()
        is_own = node.store.standing().role is not Role.STANDBY
        record = (_save_own if is_own else _save_live)(node, local, order, job)
        if order.is_scheduled:
            for each in surplus(local.folder.records(), node.store.config().keep_backups):
                local.folder.remove(each)
    return record


def _save_own(node: Node, local: LocalBackups, order: Order, job: Progress) -> BackupRecord:
    """Take a generation as a cycle does, anew where files were rewritten while they were saved."""
    begun, restless = _begun(node), Counter[str]()
    newest = ""
    try:
        for take in range(1, TAKES + 1):
            leave = frozenset(path for path, count in restless.items() if count >= TRIES_OF_A_FILE)
            nothing_there = LiveThere(manifests=node.manifests, unsettled=leave)
            generation = take_generation(node, job, begun=begun, live=nothing_there).generation
            newest = generation.manifest
            try:
                record = _Saving(node, local, order, job, generation).run(
                    lambda entry: _own_content(node, entry)
                )
            except Unsettled as error:
                if take == TAKES:
                    raise
                restless.update(error.paths)
                continue
            note_seed(node, Seed(manifest=newest, asked=not order.is_scheduled))
            return record
        raise AssertionError
    finally:
        prune_manifests(node, newest)


def _begun(node: Node) -> Generation:
    """Return a new generation; of a former active it is one of the epoch in which it served."""
    standing = node.store.standing()
    if standing.role is Role.ACTIVE:
        return begin_generation(node)
    begun, sequence = begin_generation(node), node.store.next_sequence(standing.own_epoch)
    name = f"{begun.begin:%Y%m%dT%H%M%SZ}-{sequence}"
    return msgspec.structs.replace(begun, id=name, epoch=standing.own_epoch, sequence=sequence)


def _save_live(node: Node, local: LocalBackups, order: Order, job: Progress) -> BackupRecord:
    generation = live_generation(node)
    if generation is None:
        raise Refused("nothing-imported")
    if not live_base(node):
        raise Refused("live-moved-on", generation=generation.id)
    try:
        return _Saving(node, local, order, job, generation).run(lambda entry: _live_content(node, entry))
    except Unsettled as error:
        mark_drifted(node)
        raise Drifted(next(iter(error.paths))) from None


def _own_content(node: Node, entry: Entry) -> BinaryIO:
    if entry.kind is Kind.DATABASE:
        return node.disk.open(dump_path(node, database_name(entry)))
    return node.disk.open_live(entry.path)


def _live_content(node: Node, entry: Entry) -> BinaryIO:
    return node.disk.open_live(database_name(entry) if entry.kind is Kind.DATABASE else entry.path)


@dataclass
class _Saving:
    """One file being written."""

    node: Node
    local: LocalBackups
    order: Order
    job: Progress
    generation: Generation

    def run(self, content: Callable[[Entry], BinaryIO]) -> BackupRecord:
        """Raises Unsettled, naming what is no longer what the manifest says."""
        folder = self.local.folder
        self._check_space()
        self.job.stage("pack")
        # Folders may have been replaced since they were last looked at.
        self.node.disk.settle(())
        header = self._header()
        backup = free_id(self.generation.id, (each.id for each in folder.records()))
        with self.local.exports.draft(folder.path(backup), self.order.passphrase) as draft:
            self._begin(draft, header)
            self._add_contents(draft, content)
            written = draft.keep()
            record = BackupRecord(
                id=backup,
                header=header,
                file_size=written.size,
                digest=written.digest,
                is_encrypted=bool(self.order.passphrase),
                superseded_by=self.order.superseded_by,
            )
            folder.record(record)
            draft.publish(folder.path(backup))
        return record

    def _check_space(self) -> None:
        manifest = self.node.manifests.path(self.generation.manifest).stat().st_size
        free = self.local.folder.free()
        needed = self.generation.size + manifest + BLOCKS * self.generation.entries + RESERVE_BYTES
        if needed > free:
            folder = str(self.local.folder.folder)
            raise NoSpace("backup-no-space", folder=folder, needed=needed, free=free)

    def _header(self) -> ExportHeader:
        return ExportHeader(
            format=FORMAT,
            generation=self.generation,
            signer=self.node.store.standing().me,
            host=self.local.host,
            version=self.local.version,
            made=self.node.clock.now(),
            asked=self.order.asked,
            parts=parts_of(self._entries(), self.node.profile),
        )

    def _begin(self, draft: ExportDraft, header: ExportHeader) -> None:
        body = encode_header(header)
        _add_bytes(draft, HEADER, body)
        _add_bytes(draft, SIGNATURE, self.local.exports.sign(body))
        manifest = self.node.manifests.path(self.generation.manifest)
        with closing(self.node.disk.open(manifest)) as file:
            draft.add(MANIFEST, manifest.stat().st_size, file.read)

    def _add_contents(self, draft: ExportDraft, content: Callable[[Entry], BinaryIO]) -> None:
        done, total = 0, self.generation.size
        for number, entry in enumerate(self._entries(), start=1):
            if entry.kind not in (Kind.FILE, Kind.DATABASE):
                continue
            self.job.check()
            self._add(draft, member_name(entry, number), entry, content)
            done += entry.size
            self.job.advance(min(done, total), total)

    def _add(self, draft: ExportDraft, name: str, entry: Entry, content: Callable[[Entry], BinaryIO]) -> None:
        try:
            file = content(entry)
        except (FileNotFoundError, NotADirectoryError, Failed):
            raise Unsettled([entry.path]) from None

        def read(size: int) -> bytes:
            self.job.check()
            return file.read(size)

        with closing(file):
            # Only what the scan saw is read: a recording that goes on at its end is whole up to there.
            if draft.add(name, entry.size, read) != entry.digest:
                raise Unsettled([entry.path])

    def _entries(self) -> Iterator[Entry]:
        return map(decode, self.node.manifests.lines(self.generation.manifest))


def _add_bytes(draft: ExportDraft, name: str, body: bytes) -> None:
    rest = memoryview(body)

    def read(size: int) -> bytes:
        nonlocal rest
        piece, rest = rest[:size], rest[size:]
        return bytes(piece)

    draft.add(name, len(body), read)
