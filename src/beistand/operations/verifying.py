"""Is the manifest that arrived the one that was announced, and may all of it be written here?"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import BinaryIO

from beistand.domain.boundary import Boundary, inspected
from beistand.domain.errors import BadGeneration
from beistand.domain.generation import Generation
from beistand.domain.manifest import LONGEST_LINE, Entry, Kind, apply_delta, decode, encode, read_entries
from beistand.ports.node import Node
from beistand.ports.progress import Progress


def keep_manifest(
    node: Node, generation: Generation, base: str, boundary: Boundary, job: Progress, arrived: BinaryIO
) -> None:
    """Rebuild the manifest from what arrived, check every entry, and keep it under its digest.

    `base`: what arrived is a delta to this manifest; empty: it is the whole one.

    Nothing else is written. Raises BadGeneration: what `read_entries`, `apply_delta` and `inspected` raise,
    `manifest-differs` where it is not the announced one.
    """

    def link_stands(entry: Entry) -> bool:
        shape = node.disk.look(entry.path)
        return shape is not None and shape.kind is Kind.LINK and shape.target == entry.target

    digest = hashlib.sha256()
    with closing(arrived), node.manifests.draft() as draft:
        lines = _lines(arrived)
        if base:
            lines = map(encode, apply_delta(map(decode, node.manifests.lines(base)), lines))
        entries = read_entries(_passing(lines, digest.update, draft.add))
        for count, _ in enumerate(inspected(entries, boundary, generation, link_stands)):
            if count % 1000 == 0:
                job.check()
        if digest.hexdigest() != generation.manifest:
            raise BadGeneration("manifest-differs", announced=generation.manifest, found=digest.hexdigest())
        draft.keep()


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield lines without ever holding a longer one than an entry can be."""
    return iter(lambda: file.readline(LONGEST_LINE + 1), b"")


def _passing(lines: Iterable[bytes], *uses: Callable[[bytes], None]) -> Iterator[bytes]:
    """Yield the lines, after handing them over by the hundred: a call for each would be half the cost."""
    rest = iter(lines)
    while some := list(islice(rest, 100)):
        for use in uses:
            use(b"".join(some))
        yield from some
