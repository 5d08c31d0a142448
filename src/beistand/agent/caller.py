"""Who is at the other end of the socket."""

import grp
import pwd
import socket
import struct

from beistand.domain.value import Value

PEER_ACCOUNT = "beistand-peer"
GROUP = "beistand"


class Caller(Value, frozen=True, kw_only=True):
    """The account behind a connection, as the kernel says it."""

    uid: int
    user: str

    @property
    def is_root(self) -> bool:
        return self.uid == 0

    @property
    def is_peer(self) -> bool:
        """Tell whether this is the other appliance, through `beistand peer`."""
        return self.user == PEER_ACCOUNT


def caller_of(connection: socket.socket) -> Caller:
    """Return who connected, by SO_PEERCRED (unix(7))."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", raw)
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    return Caller(uid=uid, user=user)


def group_id() -> int | None:
    """Return the id of the group that may open the socket, None where it is missing."""
    try:
        return grp.getgrnam(GROUP).gr_gid
    except KeyError:
        return None
