"""An agent whose state cannot be opened: it does nothing, but says so to everybody who asks."""

import socket
from threading import Event

from beistand import __version__
from beistand.adapters.service_manager import notify
from beistand.agent.caller import Caller
from beistand.agent.log import log_message
from beistand.agent.server import Server
from beistand.domain.errors import BeistandError
from beistand.domain.finding import Finding, Severity
from beistand.domain.message import Message
from beistand.domain.value import Value
from beistand.ports.places import Places
from beistand.protocol import Done, GetStatus, Hello, Status
from beistand.wiring import Wiring

AGAIN_SECONDS = 10.0
"""A disk that was full may have room again; a damaged file may have been put back."""
STATE = "out-of-order"


def wired(places: Places, stopping: Event) -> Wiring | None:
    """Return the wiring as soon as the state can be opened; None when the agent shall end."""
    server: Server | None = None
    while not stopping.is_set():
        try:
            wiring = Wiring(places)
        except BeistandError as error:
            if server is None:
                log_message(error.message, "error")
            else:
                server.close()
            server = Server(places.socket, _Telling(error.message).handle)
            server.open()
            notify(f"READY=1\nWATCHDOG=1\nSTATUS={error.message}")
            stopping.wait(AGAIN_SECONDS)
        else:
            if server is not None:
                server.close()
            return wiring
    if server is not None:
        server.close()
    return None


def out_of_order(trouble: Message) -> Status:
    """Return the status of an appliance that cannot even read what it is."""
    return Status(
        initialised=True,
        state=STATE,
        version=__version__,
        host=socket.gethostname(),
        findings=(Finding(code=trouble.code, severity=Severity.BLOCK, fields=dict(trouble.fields)),),
    )


class _Telling:
    def __init__(self, trouble: Message) -> None:
        self._trouble = trouble

    def handle(self, request: Value, _caller: Caller) -> Value:
        if isinstance(request, Hello):
            return Done()
        if isinstance(request, GetStatus):
            return out_of_order(self._trouble)
        raise _Trouble(self._trouble)


class _Trouble(BeistandError):
    def __init__(self, trouble: Message) -> None:
        Exception.__init__(self, str(trouble))
        self.message = trouble
