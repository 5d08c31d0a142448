"""Two agents with real folders and files: what one saves can be carried to the other. The trees are empty."""

from collections.abc import Callable
from typing import Any, cast

from beistand.adapters.databases import registry
from beistand.adapters.disk import LocalDisk
from beistand.adapters.export_file import ExportFiles
from beistand.adapters.manifests import ManifestFolder
from beistand.adapters.scan import TreeScanner
from beistand.domain.job import Job, JobState
from beistand.domain.value import Value
from beistand.ports.node import Node
from beistand.protocol import CHUNK_BYTES, BeginUpload, SendUpload, UploadView
from fakes.agents import OneOfTwo, TwoAgents
from fakes.exporting import FakeSignatures

SECONDS = 20.0


def with_files(two: TwoAgents) -> TwoAgents:
    """Let both save and import. A serves when it returns."""
    for one, own, peer in ((two.a, "a", "b"), (two.b, "b", "a")):
        wiring: Any = one.wiring
        wiring.exports = ExportFiles(cast("Any", FakeSignatures(own, peer)))
        wiring.node = _node_on_disk(wiring)
        one.agent.reload()
    two.turns(2)
    assert two.a.serves
    return two


def _node_on_disk(wiring: Any) -> Any:
    plain = wiring.node

    def node() -> Node | None:
        made = plain()
        if made is None:
            return None
        places = wiring.places
        fields = {name: getattr(made, name) for name in Node.__dataclass_fields__}
        real = {
            "disk": LocalDisk(()),
            "scanner": TreeScanner(places.state),
            "manifests": ManifestFolder(places),
            "databases": registry(),
        }
        return Node(**{**fields, **real})

    return node


def ended(one: OneOfTwo, job: Value) -> Job:
    """Return the job after its end."""
    assert isinstance(job, Job)
    while job.state is JobState.RUNNING:
        seen = job.revision
        job = one.agent.worker.watch(job.id, seen, SECONDS)
        assert job.revision > seen or job.state is not JobState.RUNNING, "the job does not end"
    return job


def begun(one: OneOfTwo, act: Callable[[], object]) -> Job | None:
    """Return the job that this begins, after its end; None where it begins none."""
    # Not the one that runs afterwards: it may have ended by then.
    jobs = one.agent.worker._jobs
    before = {*jobs}
    act()
    new = [job for name, job in [*jobs.items()] if name not in before]
    return ended(one, new[0]) if new else None


def sent(one: OneOfTwo, body: bytes, size: int | None = None) -> UploadView:
    """Upload this."""
    begun = one.ask(BeginUpload(name="../x.beistand", size=len(body) if size is None else size))
    assert isinstance(begun, UploadView)
    for at in range(0, len(body), CHUNK_BYTES):
        one.ask(SendUpload(id=begun.id, offset=at, data=body[at : at + CHUNK_BYTES]))
    return begun
