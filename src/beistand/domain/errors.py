"""What can go wrong, as messages an administrator can act on.

BeistandError            an expected failure: told with its hint, never with a traceback
├── Refused              asked for something that must not or cannot be done now; nothing was changed
├── Failed               an effect on this machine did not take
│   ├── CommandFailed    a program ended with an error or ran out of time
│   ├── NoSpace          a disk is too full; found before anything public was touched
│   └── AddressInUse     another machine answers for the service address
├── BadGeneration        what arrived is not what was announced, or must never be written
├── PeerError            the other appliance
│   ├── PeerUnreachable  does not answer in time
│   └── PeerRefused      answered with a message of its own
└── Cancelled            a person ended the job
"""

from beistand.domain.message import Field, Message


class BeistandError(Exception):
    """An expected failure. Its message has an entry in every catalogue."""

    def __init__(self, code: str, **fields: Field) -> None:
        self.message = Message(code=code, fields=fields)
        super().__init__(str(self.message))


class Refused(BeistandError):
    pass


class Failed(BeistandError):
    pass


class CommandFailed(Failed):
    pass


class NoSpace(Failed):
    pass


class AddressInUse(Failed):
    def __init__(self, address: str, mac: str) -> None:
        super().__init__("address-in-use", address=address, mac=mac)
        self.mac = mac


class BadGeneration(BeistandError):
    pass


class PeerError(BeistandError):
    pass


class PeerUnreachable(PeerError):
    pass


class PeerRefused(PeerError):
    def __init__(self, message: Message) -> None:
        super().__init__(message.code, **message.fields)


class Cancelled(BeistandError):
    def __init__(self) -> None:
        super().__init__("cancelled")
