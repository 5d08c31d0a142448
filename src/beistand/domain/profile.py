"""An appliance profile: what a telephone system consists of, as data (docs/profile.md)."""

from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated

import msgspec

from beistand.domain.value import Value

AbsolutePath = Annotated[str, msgspec.Meta(pattern=r"^/[^\0]*[^/\0]$")]
FolderName = Annotated[str, msgspec.Meta(pattern=r"^([a-z0-9][a-z0-9_-]{0,63})?$")]

OWN_IDENTITY = (
    "/etc/hostname",
    "/etc/hosts",
    "/etc/machine-id",
    "/etc/fstab",
    "/etc/resolv.conf",
    "/etc/network",
    "/etc/netplan",
    "/etc/NetworkManager",
    "/etc/systemd/network",
    "/etc/ssh",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/gshadow",
    "/root/.ssh",
    "/etc/beistand",
    "/var/lib/beistand",
    "/var/lib/beistand-peer",
    "/opt/beistand",
    "/usr/bin/beistand",
    "/etc/systemd/system",
)
"""Never written by an import on any appliance, whatever a profile or a manifest says."""


class Engine(StrEnum):
    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    MARIADB = "mariadb"


class Detect(Value, frozen=True, kw_only=True):
    """How to recognise the telephone system: every file must exist."""

    files: tuple[AbsolutePath, ...]
    version_command: tuple[str, ...]
    """Prints the version that must be the same on both appliances (S4). Its program is the telephone
    system itself: whoever runs it on a standby is stopped (F34)."""
    asks: str = ""
    """Regular expression for an argument of that program with which it only asks or answers, and serves nothing. Empty:
    only a process that listens on a socket is taken for a running telephone system."""


class Tree(Value, frozen=True, kw_only=True):
    """A file or folder to carry over, with everything below it."""

    path: AbsolutePath
    exclude: tuple[str, ...] = ()
    """Absolute paths or globs (`*` also crosses `/`) that stay behind: caches, sockets, databases named below."""
    optional: bool = False


class Database(Value, frozen=True, kw_only=True):
    """A database to carry over. For SQLite `name` is the absolute path of the file."""

    engine: Engine
    name: str
    optional: bool = False


class Service(Value, frozen=True, kw_only=True):
    """A unit of the telephone system: runs on the active only, gated by /run/beistand/may-serve."""

    unit: str
    start_seconds: int = 60
    stop_seconds: int = 30
    writes: tuple[AbsolutePath, ...] = ()
    """What it may write beside trees and folders of databases, the rest is read-only; empty: it is not confined."""
    run_folder: FolderName = ""
    """Its folder in /run, made at each start; empty: it needs none."""
    set_id_programs: tuple[AbsolutePath, ...] = ()
    """What it runs that may have set-user-id, as mailers do: where one has, the PBX may gain its rights."""
    start_file: str = ""
    """What root reads before the PBX becomes its own account: told where the two appliances differ."""


class Sip(Value, frozen=True, kw_only=True):
    """Where the telephone system answers SIP."""

    udp_port: int = 5060
    tcp_ports: tuple[int, ...] = ()


class Contacts(Value, frozen=True, kw_only=True):
    """Where the registered phones are kept, so that calls reach them before they register again (B8)."""

    database: AbsolutePath
    list: str
    """SQL that yields a row for each contact: SIP URI, and as far as it is known the endpoint, whether the contact
    survives a start of the PBX, whether the PBX asks the phone by OPTIONS (0 or 1), the name that a REGISTER gives
    in its To header, and the key of the contact."""
    renew: str
    """SQL run before the start: gives every contact that survives it an expiry in the future. Its parameters:
    `:at`, when the contacts were those of a running PBX (epoch seconds of its clock), `:age`, how long ago that is,
    `:least` and `:most`, the seconds that a contact lives on whose time ran out meanwhile."""


class Console(Value, frozen=True, kw_only=True):
    """The PBX's own command line, as it takes commands over a Unix socket: Asterisk's protocol."""

    socket: AbsolutePath
    commit: str = ""
    """Has what was acknowledged written to the database, before a generation begins (B15)."""
    committed: str = ""
    """A word of the answer that says that it was written."""
    calls: str = ""
    """Says how many calls there are now: the first number of the answer."""


class AfterStart(Value, frozen=True, kw_only=True):
    """What the PBX is asked over its console right after a start, so that everything rings (B14)."""

    phone: str = ""
    """Has it look at the phone `{name}` by OPTIONS at once, instead of at a random moment of the next minute."""
    lines: str = ""
    """Lists the lines that register, one a row: `NAME/… … STATE`."""
    failed: tuple[str, ...] = ()
    """A row with one of these words is a line that failed."""
    line_again: str = ""
    """Has the line `{name}` register anew."""
    line: str = ""
    """Shows the settings of the line `{name}`, one a row: `KEY : VALUE`."""
    line_delay: str = ""
    """The setting that holds how many seconds, at most, a line waits before it registers after a start."""


class MakeWay(Value, frozen=True, kw_only=True):
    """How a contact makes way for its phone that comes from another port right after a takeover (B8).

    Commands of the console; `{aor}`, `{key}`, `{endpoint}`: of the contact, `{most}`: how many the PBX takes.
    """

    room: str = ""
    """Shows the settings of `{aor}`, one a row: `KEY : VALUE`. Empty: no contact ever makes way."""
    most: str = ""
    """The setting that holds how many contacts the PBX takes."""
    replaces: str = ""
    """The setting that says whether the PBX itself lets an old contact go."""
    replaces_if: tuple[str, ...] = ("true", "yes")
    aside: tuple[str, ...] = ()
    """Take the contact `{key}` away and keep it aside, if there is no room beside it."""
    is_aside: str = ""
    """Words of the answer that say that it was taken away."""
    look: tuple[str, ...] = ()
    """Have the PBX ask all contacts of `{endpoint}`: one that does not answer gets no calls."""
    back: tuple[str, ...] = ()
    """Put it back where there is room, and forget that it was kept. A contact that is there stays as it is."""


class Lines(Value, frozen=True, kw_only=True):
    """Where the lines to the outside stand, so that a takeover can say which ones come to life (S20)."""

    files: tuple[str, ...]
    """Absolute paths or globs of files with `[sections]`."""
    types: tuple[str, ...] = ("registration", "identify")
    """A section with `type = ` one of these is a line."""
    register_keys: tuple[str, ...] = ("register",)
    """`register => …` in any section is a line, too."""


class RecordKind(Value, frozen=True, kw_only=True):
    """One kind of thing that the telephone system records, counted where two histories have to be compared (R5)."""

    kind: Annotated[str, msgspec.Meta(pattern=r"^[a-z-]+$")]
    """`calls`, `voicemail`, `recordings`: `record.<kind>` in the catalogue."""
    files: tuple[str, ...] = ()
    """Globs of files, one for each thing; `*` also crosses `/`."""
    database: str = ""
    """Path of an SQLite file."""
    count: str = ""
    """SQL that yields how many rows are not older than `:since`, which is local time as `2026-01-31 08:00:00`."""


class DirectoryFormat(StrEnum):
    ASTERISK_VOICEMAIL = "asterisk-voicemail"
    """voicemail.conf: extension, name and mail address of each mailbox."""


class UserDirectory(Value, frozen=True, kw_only=True):
    """Where the telephone system keeps the names and mail addresses of its users (S21)."""

    format: DirectoryFormat
    path: AbsolutePath


class Profile(Value, frozen=True, kw_only=True):
    schema: int
    name: str
    title: str
    detect: Detect
    trees: tuple[Tree, ...]
    databases: tuple[Database, ...] = ()
    services: tuple[Service, ...]
    """Started in this order, stopped in reverse."""
    sip: Sip = Sip()
    contacts: Contacts | None = None
    console: Console | None = None
    """None: the PBX cannot be asked anything."""
    after_start: AfterStart = AfterStart()
    make_way: MakeWay = MakeWay()
    users: UserDirectory | None = None
    """None: nobody but the administrator gets a mail."""
    lines: Lines | None = None
    records: tuple[RecordKind, ...] = ()
    """What is counted where a person has to choose between two histories."""
    watch: tuple[AbsolutePath, ...] = ()
    """Folders of the telephone system: what lies there and belongs to no tree is told (B4)."""
    leave: tuple[str, ...] = ()
    """Paths or globs below them that stay behind on purpose: logs, caches."""
    identity: tuple[str, ...] = ()
    """Paths or globs beside OWN_IDENTITY: host-bound licences of the PBX."""

    def is_identity(self, path: str) -> bool:
        """Tell whether the path, or a folder it lies in, makes this machine itself."""
        return _covers((*OWN_IDENTITY, *self.identity), path)

    def tree_of(self, path: str) -> Tree | None:
        """Return the tree that carries this path; None if no tree does, or if it is excluded."""
        for tree in self.trees:
            inside = path == tree.path or path.startswith(tree.path + "/")
            if inside and not _covers(tree.exclude, path):
                return tree
        return None

    def may_write(self, path: str) -> bool:
        """Tell whether an import may write here: the receiving side's profile decides, never the manifest."""
        return self.tree_of(path) is not None and not self.is_identity(path)


def _covers(globs: tuple[str, ...], path: str) -> bool:
    parts = path.split("/")
    ancestors = ["/".join(parts[:count]) for count in range(2, len(parts) + 1)]
    return any(fnmatchcase(each, glob) for each in ancestors for glob in globs)
