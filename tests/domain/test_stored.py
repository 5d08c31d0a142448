"""Documents that were stored before the words of a peer had bounds."""

import json
from typing import Any

import msgspec
import pytest

from beistand.domain.config import ModuleConfig
from beistand.domain.message import Message
from beistand.domain.pair import Greeting, Pair
from beistand.domain.pause import Pause, Versions
from beistand.domain.role import Grant, Side
from beistand.domain.settings import PairSettings
from beistand.domain.stored import read
from fakes.situations import NOW, A, B, appliance, grant

VERSIONS = Versions(beistand="1", pbx="22")
PAIR = Pair(id="0" * 32, peer=appliance(B), peer_host_key="", side=Side.EVEN, since=NOW)
PAUSE = Pause(who="anna", since=NOW, epoch=2, active=VERSIONS, standby=VERSIONS)
CASES: list[tuple[Any, str, Any, Any]] = [
    (PAIR, "peer.vlan", -1, 0),
    (PAIR, "peer.vlan", 5000, 4095),
    (PAIR, "peer.host", "x" * 5000, "x" * 1000),
    (PAIR, "peer.now", "2026-01-01T00:00:00", "2026-01-01T00:00:00Z"),
    (PAIR, "peer.dns", ["x"] * 2000, ["x"] * 1000),
    (grant(2, A), "at", "2026-01-01T00:00:00", "2026-01-01T00:00:00Z"),
    (grant(2, A), "over", -5, 0),
    (PAUSE, "since", "0001-01-01T00:00:00", "0001-01-01T00:00:00Z"),
    (PAUSE, "end", "2026-01-01T00:00:00", "2026-01-01T00:00:00Z"),
    (ModuleConfig(), "revision", -1, 0),
    (ModuleConfig(), "name", "x" * 2000, "x" * 1000),
    (PairSettings(), "mail_server.user", "x" * 2000, "x" * 1000),
    (Message(code="x", fields={"n": 1}), "fields.n", 1e301, 1e300),
]


def stored(value: Any, path: str, leaf: Any) -> bytes:
    raw: Any = json.loads(msgspec.json.encode(value))
    *way, last = path.split(".")
    inner = raw
    for each in way:
        inner = inner[each]
    inner[last] = leaf
    return json.dumps(raw).encode()


@pytest.mark.parametrize(("value", "path", "leaf", "read_as"), CASES, ids=lambda each: str(each)[:20])
def test_what_lies_outside_of_the_bounds_is_brought_to_them(
    value: Any, path: str, leaf: Any, read_as: Any
) -> None:
    body = stored(value, path, leaf)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=type(value))
    assert read(body, type(value)) == msgspec.json.decode(stored(value, path, read_as), type=type(value))


@pytest.mark.parametrize("value", [PAIR, PAUSE, grant(2, A), ModuleConfig(), PairSettings()])
def test_what_lies_within_them_is_read_as_it_is(value: Any) -> None:
    assert read(msgspec.json.encode(value), type(value)) == value


@pytest.mark.parametrize(
    ("type_", "body"),
    [
        (Grant, b"{"),
        (Grant, b"{}"),
        (Grant, b"[]"),
        (Grant, b"null"),
        (Greeting, b'"x"'),
        (Grant, stored(grant(2, A), "epoch", "x")),
        (Grant, stored(grant(2, A), "at", "yesterday")),
        (Pair, stored(PAIR, "peer.own_address", "999.1.1.1/24")),
    ],
)
def test_what_is_wrong_otherwise_stays_refused(type_: Any, body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read(body, type_)
