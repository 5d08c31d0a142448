"""What the telephone system's files and the sellers of licences say, in memory."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from beistand.adapters.module_log import KeptLine
from beistand.domain.coverage import Found
from beistand.domain.errors import Refused
from beistand.domain.fork import Recorded
from beistand.domain.message import Message
from beistand.domain.profile import Engine, Profile


@dataclass
class FakeLines:
    named: tuple[str, ...] = ()

    def list(self, _profile: Profile) -> tuple[str, ...]:
        return self.named


@dataclass
class FakeFolders:
    found: tuple[Found, ...] = ()
    listening: tuple[tuple[Engine, str], ...] = ()
    looks: int = 0

    def files(self, _folders: Sequence[str]) -> Iterator[Found]:
        self.looks += 1
        yield from self.found

    def servers(self) -> tuple[tuple[Engine, str], ...]:
        return self.listening


@dataclass
class FakeReadings:
    told: tuple[Message, ...] = ()

    def troubles(self) -> tuple[Message, ...]:
        return self.told


@dataclass
class FakeModuleLog:
    kept: list[KeptLine] = field(default_factory=list)

    def keep(self, level: str, message: Message) -> None:
        self.kept.append(
            KeptLine(
                at=datetime(2026, 3, 1, tzinfo=UTC), level=level, code=message.code, fields=message.fields
            )
        )

    def lines(self) -> Iterator[tuple[str, KeptLine]]:
        yield from reversed([(str(number), each) for number, each in enumerate(self.kept)])


class FakeSignatures:
    """The same key signs and verifies: enough to tell whose a text is, and whether it was changed."""

    def __init__(self) -> None:
        self._made = 0

    def new_pair(self) -> tuple[bytes, bytes]:
        self._made += 1
        return b"private %d" % self._made, b"public %d" % self._made

    def sign(self, private_key: bytes, text: bytes) -> bytes:
        if not private_key.startswith(b"private "):
            raise Refused("signing-key-wrong")
        return hmac.digest(private_key.removeprefix(b"private "), text, hashlib.sha512)

    def is_signed(self, public_key: bytes, text: bytes, signature: bytes) -> bool:
        key = public_key.removeprefix(b"public ")
        return public_key.startswith(b"public ") and hmac.compare_digest(
            hmac.digest(key, text, hashlib.sha512), signature
        )


@dataclass
class FakeSellers:
    known: dict[str, bytes] = field(default_factory=dict)

    def keys(self) -> Mapping[str, bytes]:
        return self.known


@dataclass
class FakeRecords:
    recorded: Recorded = field(default_factory=Recorded)

    def since(self, _profile: Profile, _moment: datetime) -> Recorded:
        return self.recorded
