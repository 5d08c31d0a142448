"""Who is at the other end of the socket."""

import grp
import pwd
import socket
import struct

from beistand.domain.account import AccountRole
from beistand.domain.value import Value
from beistand.protocol import AccountView

PEER_ACCOUNT = "beistand-peer"
GROUP = "beistand"


class Caller(Value, frozen=True, kw_only=True):
    """The account behind a connection, as the kernel says it, and the one that it acts for since `Authenticate`."""

    uid: int
    user: str
    account: str = ""
    """Name of the account, or `token:` and the name of a program's token; empty: it acts for nobody."""
    role: AccountRole | None = None
    """Of the account or token; None: it acts for nobody."""
    address: str = ""
    """Of the browser."""
    credential: str = ""
    """Digest of the session's or token's secret: it is looked up again with each request."""
    is_watching: bool = False
    """Nobody is doing anything: a page looks again by itself."""
    sure_as: str = ""
    """Name of the administrator whose password came with `Authenticate` and was right."""
    lately_mark: str = ""
    """Of the password that came with this session a moment ago: good for a takeover, and for nothing else."""
    sure_mark: str = ""
    """Of that password: once there is another one it is not right any more."""

    @property
    def is_root(self) -> bool:
        return self.uid == 0

    @property
    def is_at_console(self) -> bool:
        """Tell whether this is root who acts for himself."""
        return self.is_root and not self.credential

    @property
    def who(self) -> str:
        """Return who it is in the audit log, and the operator of a takeover."""
        return self.sure_as or self.account or self.user

    def as_nobody(self) -> "Caller":
        """Return the same connection as it was before anybody authenticated."""
        return Caller(uid=self.uid, user=self.user)

    @property
    def is_peer(self) -> bool:
        """Tell whether this is the other appliance, through `beistand peer`."""
        return self.user == PEER_ACCOUNT


class Admitted(Value, frozen=True, kw_only=True):
    """What `Authenticate` comes to: the view is answered, the caller stays with the connection."""

    caller: Caller
    view: AccountView


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
