"""Have the PBX write what it has acknowledged, before a generation begins (B15).

Asterisk commits its database about once a second (FIGURES section 10): of changes that come in a row a copy may lack
those of the last second, though phones and people were told that they are done.
"""

import msgspec

from beistand.domain.errors import Failed
from beistand.domain.message import Message, message
from beistand.domain.profile import Console
from beistand.ports.node import Node
from beistand.ports.store import Store

ASK_SECONDS = 1.0
"""A PBX that runs answers within 40 ms (FIGURES section 10)."""
MOST_SECONDS = 2.0
"""No cycle is delayed for longer by a PBX that cannot be asked."""
NOT_ASKED = "pbx-not-asked"
"""The document with the message why the PBX could not be asked the last time; empty: it was."""


def commit_acknowledged(node: Node) -> None:
    """Return when all that the PBX had acknowledged at the call is in its databases, 2 s later at most.

    Where the PBX cannot be asked, the files tell: a change that is not committed has a rollback journal. On an
    appliance that holds no grant no PBX runs, and nothing is asked.
    """
    if not node.store.standing().is_holder:
        return
    began = node.clock.monotonic()
    console = _console(node)
    why = _asked(node, console) if console else None
    if console is None or why is not None:
        end = began + MOST_SECONDS
        for database in node.profile.databases:
            if database.engine in node.databases:
                node.databases[database.engine].settle(database, max(0.0, end - node.clock.monotonic()))
    _note(node, why)


def commit_once_more(node: Node) -> None:
    """Have what was acknowledged since written, too, right before the databases are copied.

    Between the first answer and the begin of a generation something may have been acknowledged. A PBX that could
    not be asked the first time is not waited for again.
    """
    console = _console(node)
    if console and node.store.standing().is_holder and not node.store.get(NOT_ASKED):
        _asked(node, console)


def why_not_committed(store: Store) -> Message | None:
    """Return why the PBX could not be asked when the last generation began; None: it was."""
    body = store.get(NOT_ASKED)
    return msgspec.json.decode(body, type=Message) if body else None


def _console(node: Node) -> Console | None:
    console = node.profile.console
    return console if console and console.commit else None


def _asked(node: Node, console: Console) -> Message | None:
    """Return why the PBX did not commit."""
    try:
        answer = node.console.ask(console.socket, [console.commit], ASK_SECONDS)
    except Failed as error:
        return error.message
    return None if _says_so(console, answer) else message("pbx-did-not-commit", answer=answer[:200].strip())


def _says_so(console: Console, answer: str) -> bool:
    return console.committed in answer.split()


def _note(node: Node, why: Message | None) -> None:
    body = msgspec.json.encode(why) if why else b""
    if body != (node.store.get(NOT_ASKED) or b""):
        node.store.put(NOT_ASKED, body)
