"""The audit log: who did what, or was refused it; each line stands in the journal, too."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from beistand import protocol
from beistand.agent.access import ACCESS, Access
from beistand.agent.log import log_message
from beistand.agent.paging import older_than, page
from beistand.agent.repeated import Key, Repeated
from beistand.domain.account import account_of, plain_name
from beistand.domain.errors import BeistandError
from beistand.domain.message import Field, Message
from beistand.ports.store import Event, Room
from beistand.protocol import AuditLine, AuditLines
from beistand.text.audit import PREFIX, REFUSED, audited
from beistand.text.catalogue import LANGUAGES

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.agent.caller import Caller
    from beistand.domain.value import Value

LONGEST_FIELD = 200

TOLD = (protocol.LogIn, protocol.LogOut, protocol.UseSetupCode, protocol.ChangePassword)
"""Told beside everything that needs an administrator."""
NOT_TOLD = (
    protocol.FetchHostKey,
    protocol.ListAccounts,
    protocol.ListUsers,
    protocol.PlanSetup,
    protocol.PlanTakeover,
    protocol.ReadAudit,
    protocol.SendUpload,
    protocol.TryStandby,
)
"""An administrator's, but they change nothing, or are a piece of something that was told."""
HARMLESS = ("name", "role", "id", "key", "server", "host", "address", "generation", "restore_point", "size")
"""Fields of requests that are told; whatever is not named here may be secret."""
GUESSES = ("log-in-wrong", "too-many-tries", "setup-code-wrong")


class Audit:
    """Tells the store. A full disk stops no verb: it is a finding, and the journal has the line."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._telling = Lock()
        self._repeated = Repeated(agent.clock.monotonic, agent.store)

    def done(self, request: Value, caller: Caller) -> None:
        if _is_told(request):
            self._tell(request, caller, _fields(request), Room.DONE)

    def refused(self, request: Value, caller: Caller, why: Message) -> None:
        """Tell a refusal. The same one again is counted in its line: it must not push out what else is in the log."""
        is_guess = isinstance(request, protocol.Authenticate) and why.code in GUESSES
        if not (_is_told(request) or is_guess):
            return
        self._tell(request, caller, {**why.fields, **_fields(request), REFUSED: why.code}, Room.REFUSED)

    def write(self) -> None:
        """Write the counts that stand in no line yet."""
        with self._telling, self._agent.complaints.about("audit"):
            self._repeated.write()

    def _tell(self, request: Value, caller: Caller, fields: dict[str, Field], room: Room) -> None:
        message = Message(code=f"{PREFIX}{_tag(request)}", fields=fields)
        address = (caller.address or _text(request, "address"))[:64] if _is_from_afar(request, caller) else ""
        event = Event(
            at=self._agent.clock.now(),
            message=message,
            operator=self._who(request, caller),
            address=address,
        )
        try:
            with self._telling:
                is_new = self._note(event, room)
        except BeistandError as error:
            is_new = True
            self._agent.complaints.tell("audit", error.message, "error")
            self._agent.troubles["audit"] = error.message
        else:
            self._agent.troubles.pop("audit", None)
        if is_new:
            log_message(Message(code=message.code, fields={"who": event.operator, "from": address, **fields}))

    def _note(self, event: Event, room: Room) -> bool:
        """Keep the event; return whether it has a line of its own."""
        what, who = event.message, event.operator
        if room is Room.DONE:
            return self._repeated.note((who, str(what)), event, room)
        key: Key = (who, what.code, str(what.fields[REFUSED]))
        if not self._repeated.has(key) and self._repeated.is_full(who):
            # Whoever tries everything that there is gets one more line for all of it.
            key, fields = (who,), {REFUSED: what.fields[REFUSED]}
            event = msgspec.structs.replace(event, message=Message(code=f"{PREFIX}many", fields=fields))
        return self._repeated.note(key, event, room)

    def _who(self, request: Value, caller: Caller) -> str:
        """Return who asked. A name that nobody has is not told: people type passwords into the wrong field."""
        if not _is_from_afar(request, caller) or caller.credential:
            return caller.who
        name = plain_name(_text(request, "name"))
        if isinstance(request, protocol.Authenticate) and not name:
            return self._agent.accounts.owner(request.token)
        is_known = account_of(self._agent.store.settings().accounts, name) is not None
        return name if is_known else ""


def read_audit(agent: Agent, request: protocol.ReadAudit) -> AuditLines:
    """Return the lines that contain the text, as the log has it or as a person reads it, newest first."""
    agent.audit.write()
    wanted = request.contains.strip().casefold()
    kept = ((str(number), event) for number, event in agent.store.history())
    acts = (
        (place, AuditLine(at=event.at, who=event.operator, address=event.address, what=event.message))
        for place, event in older_than(request.before, kept)
        if event.message.code.startswith(PREFIX)
    )
    found = (
        each
        for each in acts
        if not wanted or any(wanted in reading.casefold() for reading in _readings(each[1]))
    )
    lines, older = page(found, request.limit)
    return AuditLines(lines=lines, older=older)


def _readings(line: AuditLine) -> tuple[str, ...]:
    return (line.who, line.address, str(line.what), *(audited(line.what, each) for each in LANGUAGES))


def _is_told(request: Value) -> bool:
    if isinstance(request, NOT_TOLD):
        return False
    if isinstance(request, protocol.ReadBackup) and request.offset > 0:
        return False  # the rest of a download that was told
    return isinstance(request, TOLD) or ACCESS.get(type(request), Access.OPEN) >= Access.ACT


def _is_from_afar(request: Value, caller: Caller) -> bool:
    """Tell whether this came from a browser or a program, not from the console."""
    knocks = isinstance(request, protocol.LogIn | protocol.UseSetupCode | protocol.Authenticate)
    return knocks or bool(caller.credential)


def _fields(request: Value) -> dict[str, Field]:
    if isinstance(request, protocol.LogIn | protocol.UseSetupCode | protocol.Authenticate):
        return {}  # who it is stands in the line
    values = {name: getattr(request, name, None) for name in HARMLESS}
    return {
        name: value if isinstance(value, bool | int | float) else str(value)[:LONGEST_FIELD]
        for name, value in values.items()
        if isinstance(value, Field) and value != ""
    }


def _text(request: Value, name: str) -> str:
    return str(getattr(request, name, ""))


def _tag(request: Value) -> str:
    return str(type(request).__struct_config__.tag)
