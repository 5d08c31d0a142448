"""A route: one request of the protocol as HTTP. Paths, queries and bodies follow from the request's own fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from string import Formatter
from typing import Any

import msgspec

from beistand.domain.job import Job
from beistand.domain.value import Value
from beistand.protocol import Done

PREFIX = "/api/v1"


class Needs(StrEnum):
    """Which token may use a route; the agent decides, this is what the document says."""

    VIEWER = "viewer"
    ADMINISTRATOR = "administrator"
    CONFIRMATION = "confirmation"
    """An administrator's token, and a person's name and password beside it."""
    PERHAPS = "perhaps"
    """An administrator's token; what makes the pair weaker wants name and password beside it."""


class Carries(StrEnum):
    """What stands in the body beside JSON."""

    JSON = "json"
    DOWNLOAD = "download"
    """The answer is a file."""
    UPLOAD = "upload"
    """The request is a file; what the file has no room for stands in the query."""


@dataclass(frozen=True, eq=False)
class Route:
    """One row of the table in `routes`."""

    method_and_path: str
    request: type[Value]
    answer: type[Value]
    needs: Needs
    within: str = field(default="", kw_only=True)
    """The body is the value of this one field, with the names of the path in it."""
    filled: tuple[str, ...] = field(default=(), kw_only=True)
    """Fields that nobody sends: they follow from who asks, or from the body."""
    narrowed: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    """Types of fields, with limits that the request's own lack."""
    carries: Carries = field(default=Carries.JSON, kw_only=True)
    seconds: float = field(default=10.0, kw_only=True)
    """How long the agent may take."""

    @property
    def method(self) -> str:
        return self.method_and_path.split()[0]

    @property
    def path(self) -> str:
        return self.method_and_path.split()[1]

    @property
    def name(self) -> str:
        """Its `operationId`; `web.api.NAME` in the catalogue says what it does."""
        return str(self.request.__struct_config__.tag)

    @property
    def status(self) -> int:
        """The HTTP status of its success."""
        if self.answer is Job and self.method != "GET":
            return 202
        if self.answer is Done:
            return 204
        return 201 if self.name in ("upload-begin", "token-make") else 200

    @cached_property
    def in_path(self) -> type[msgspec.Struct]:
        """The names in braces, each a text."""
        names = [name for _, name, _, _ in Formatter().parse(self.path) if name]
        return self._struct("Path", [each for each in self._fields if each.name in names])

    @cached_property
    def in_query(self) -> type[msgspec.Struct]:
        return self._struct("Query", self._rest if self._asks_by_query else [])

    @cached_property
    def in_body(self) -> type[msgspec.Struct]:
        return self._struct("Body", [] if self._asks_by_query else self._rest)

    def built(self, parts: list[msgspec.Struct], **filled: str | int) -> Value:
        """Return the request that path, query and body say."""
        fields = {name: value for part in parts for name, value in msgspec.structs.asdict(part).items()}
        if self.within:
            return self.request(**{self.within: self.named(**fields)})
        return self.request(**fields, **{each: filled[each] for each in self.filled})

    @property
    def named(self) -> type[Value]:
        """The struct whose fields the route asks for."""
        if not self.within:
            return self.request
        inner: type[Value] = self.request.__annotations__[self.within]
        return inner

    @property
    def _fields(self) -> tuple[msgspec.structs.FieldInfo, ...]:
        return msgspec.structs.fields(self.named)

    @property
    def _asks_by_query(self) -> bool:
        return self.method in ("GET", "DELETE") or self.carries is Carries.UPLOAD

    @property
    def _rest(self) -> list[msgspec.structs.FieldInfo]:
        taken = (*self.in_path.__struct_fields__, *self.filled)
        return [each for each in self._fields if each.name not in taken]

    def _struct(self, part: str, fields: list[msgspec.structs.FieldInfo]) -> type[msgspec.Struct]:
        """Return these fields as a struct of their own: whatever else is sent is refused."""
        return msgspec.defstruct(
            f"{self.request.__name__}{part}",
            [self._field(each) for each in fields],
            kw_only=True,
            frozen=True,
            forbid_unknown_fields=True,
        )

    def _field(self, info: msgspec.structs.FieldInfo) -> tuple[str, Any, Any]:
        default = msgspec.field(default=info.default)
        if info.default_factory is not msgspec.NODEFAULT:
            default = msgspec.field(default_factory=info.default_factory)
        return info.name, self.narrowed.get(info.name, info.type), default
