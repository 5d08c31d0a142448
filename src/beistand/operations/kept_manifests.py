"""Which manifests of its own generations an appliance keeps: deltas are made to them."""

import msgspec

from beistand.domain.export import Seed, with_seed
from beistand.operations.lineage import load_lineage
from beistand.ports.node import Node

LIVE_THERE = "manifest-live-there"
"""The document that holds the digest of what the peer has live."""
SEEDS = "seeds"
"""The document that names the newest local backups."""


def live_there(node: Node) -> str:
    """Return the digest of the manifest that the peer had live when it was last heard; "" if it had none."""
    return (node.store.get(LIVE_THERE) or b"").decode()


def note_live_there(node: Node, digest: str) -> None:
    if digest != live_there(node):
        node.store.put(LIVE_THERE, digest.encode())


def note_seed(node: Node, seed: Seed) -> None:
    """Note a local backup: what a standby was seeded with from it need not travel again."""
    node.store.put(SEEDS, msgspec.json.encode(with_seed(_seeds(node), seed)))


def prune_manifests(node: Node, newest: str) -> None:
    """Keep the newest one, what the peer has or may be seeded with, and those of own restore points."""
    seeds = {each.manifest for each in _seeds(node)}
    node.manifests.prune({newest, live_there(node)} | seeds | load_lineage(node).manifests)


def _seeds(node: Node) -> tuple[Seed, ...]:
    return msgspec.json.decode(node.store.get(SEEDS) or b"[]", type=tuple[Seed, ...])
