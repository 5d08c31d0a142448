"""A status that waits for a person: two histories, and what each recorded."""

from datetime import timedelta

import msgspec

from beistand.domain.choices import Predicament, choices
from beistand.domain.fork import Counted, History, Recorded
from fakes.situations import NOW, A, B
from web import scenes


def history(host: str, node: str, calls: int) -> History:
    return History(
        host=host,
        node=node,
        epoch=3,
        operator="anna",
        at=NOW,
        since=NOW,
        recorded=Recorded(
            records=(Counted(kind="calls", count=calls), Counted(kind="voicemail", count=0)),
            files=5,
            bytes=20_480,
            newest=NOW + timedelta(minutes=20),
        ),
    )


FORKED = msgspec.structs.replace(
    scenes.ACTIVE,
    state="forked",
    choices=choices(Predicament(state="forked", serving=True)),
    histories=(history("pbx-a", A, 12), history("pbx-b", B, 3)),
)
