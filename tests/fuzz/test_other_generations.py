"""F7: generations of another version, profile, pair or time, by the pair's channel and as an uploaded file."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from beistand.domain.errors import BadGeneration, BeistandError
from beistand.domain.manifest import encode
from beistand.operations.importing import live_generation
from beistand.operations.receiving import receive_generation
from fakes.exporting import Active, Seeding
from fakes.progress import FakeProgress
from fakes.standby import File, Folder, Rows, Sandbox, Trees, sandbox
from fuzz.extent import attacks

BEFORE: Trees = {"etc": Folder(), "etc/sip.conf": File(b"live"), "lib/pbx": Folder()}
OFFERED: Trees = {"etc": Folder(), "etc/sip.conf": File(b"offered"), "lib/pbx": Folder()}
MATRIX: dict[str, tuple[dict[str, Any], str]] = {
    "another version of the PBX": ({"pbx_version": "Asterisk 99"}, "generation-version-differs"),
    "no version": ({"pbx_version": ""}, "generation-version-differs"),
    "another profile": ({"profile": "freepbx"}, "generation-profile-differs"),
    "another pair": ({"pair": "d" * 32}, "generation-other-pair"),
    "no pair": ({"pair": ""}, "generation-other-pair"),
    "made by this appliance itself": ({"source": "ourselves"}, "not-our-peer"),
    "an epoch that nobody was granted": ({"epoch": 99}, "generation-epoch-unknown"),
    "no epoch": ({"epoch": 0}, "generation-malformed"),
    "a negative epoch": ({"epoch": -1}, "generation-malformed"),
    "the live one again": ({"sequence": 1, "id": "20260301T110100Z-1"}, "generation-not-newer"),
    "a number of another id": ({"sequence": 9}, "generation-malformed"),
    "an id that is a path": ({"id": "../../x-2"}, "generation-malformed"),
    "a digest that is a path": ({"manifest": "../" * 21 + "x"}, "generation-malformed"),
    "more entries than any system has": ({"entries": 5_000_001}, "generation-malformed"),
    "a negative size": ({"size": -1}, "generation-malformed"),
    "entries for which there is no room": ({"entries": 5_000_000}, "no-space"),
}
CLOCKS = {"1970": "1970-01-01T00:00:00Z", "a year ahead": "2027-03-01T12:00:00Z"}


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    box = sandbox(tmp_path)
    box.cycle(BEFORE)
    # A file system as small as the one of many an appliance, whatever this machine has.
    free = box.node.disk.free
    monkeypatch.setattr(box.node.disk, "free", lambda mount: min(free(mount), 2 << 30))
    return box


@pytest.mark.shows("F7")
@pytest.mark.parametrize("which", MATRIX)
def test_a_generation_that_is_not_the_next_one_of_this_pair_is_refused(box: Sandbox, which: str) -> None:
    """By the name of what is wrong with it; what is live stays live."""
    fields, code = MATRIX[which]
    before, live = box.standing_trees(), live_generation(box.node)
    generation = box.announce(OFFERED, **fields)
    box.send(OFFERED, "")
    attacks["matrix"] += 1
    with pytest.raises(BeistandError) as refusal:
        receive_generation(box.node, generation, "", FakeProgress())
    assert refusal.value.message.code == code
    assert (box.standing_trees(), live_generation(box.node)) == (before, live)


@pytest.mark.shows("F7", "F9")
@pytest.mark.parametrize("clock", CLOCKS)
def test_order_is_by_lineage_whatever_the_clocks_say(box: Sandbox, clock: str) -> None:
    """The next number is newer, though its clock says 1970; an older one is not, though it says next year."""
    begin = datetime.fromisoformat(CLOCKS[clock])
    generation = box.announce(OFFERED, begin=begin, end=begin, id=f"{begin:%Y%m%dT%H%M%SZ}-2")
    box.send(OFFERED, "")
    receive_generation(box.node, generation, "", FakeProgress())
    assert live_generation(box.node) == generation
    replayed = box.announce(BEFORE, begin=begin, sequence=1, id=f"{begin:%Y%m%dT%H%M%SZ}-1")
    with pytest.raises(BeistandError, match="generation-not-newer"):
        receive_generation(box.node, replayed, "", FakeProgress())


@pytest.mark.shows("F7")
def test_an_older_backup_file_is_no_way_back(tmp_path: Path) -> None:
    """A file is held against what is live as a cycle is: uploading last week's loses nothing."""
    box = sandbox(tmp_path)
    file = tmp_path / "older"
    file.write_bytes(Active(box).saved({**BEFORE, "lib/pbx/astdb.sqlite3": Rows(("old",))}).read_bytes())
    box.sequence += 5
    box.cycle(OFFERED)
    before = box.standing_trees()
    attacks["matrix"] += 1
    with pytest.raises(BeistandError, match="generation-not-newer"):
        Seeding(box).check(file, "")
    assert box.standing_trees() == before


@pytest.mark.shows("F6")
@pytest.mark.parametrize(
    "parts", [["d" * 250] * 20, ["n" * 256], ["d"] * 300], ids=["long", "a name", "deep"]
)
def test_a_path_that_is_too_long_is_refused_before_anything_is_made(box: Sandbox, parts: list[str]) -> None:
    before = box.standing_trees()
    trees: Trees = dict(BEFORE)
    for count in range(1, len(parts)):
        trees["/".join(["etc", *parts[:count]])] = Folder()
    trees["/".join(["etc", *parts])] = File(b"")
    generation = box.announce(trees)
    box.put("manifest/current.jsonl", b"".join(map(encode, box.entries(trees))))
    attacks["generation"] += 1
    with pytest.raises(BadGeneration, match=r"manifest-damaged|path-not-allowed"):
        receive_generation(box.node, generation, "", FakeProgress())
    assert box.standing_trees() == before
