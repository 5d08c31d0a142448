"""Who makes a standby of a machine whose PBX runs ends its calls: they are counted, shown, and asked about before."""

from __future__ import annotations

import re
from threading import Event
from typing import TYPE_CHECKING

from beistand.domain.errors import BeistandError, Refused

if TYPE_CHECKING:
    from beistand.domain.profile import Profile
    from beistand.wiring import Wiring

ENDS_CALLS = "init-ends-calls"
"""Code of what a person may accept by name."""
ASK_SECONDS = 1.0
TRIES = 5
"""A PBX that has just been started answers after some seconds."""
UNKNOWN = -1
FIRST_NUMBER = re.compile(r"\d{1,9}")


def refuse_to_end_calls(wiring: Wiring, profile: Profile, accept: tuple[str, ...]) -> None:
    """Raise Refused `init-ends-calls` where a PBX runs that is used, or does not say; nothing was changed."""
    if ENDS_CALLS in accept:
        return
    running = [each.unit for each in profile.services if wiring.services.is_running(each.unit)]
    if not running:
        return
    calls, phones = _calls(wiring, profile), len(wiring.contacts.list(profile))
    if calls or phones:
        raise Refused(ENDS_CALLS, units=", ".join(running), calls=calls, phones=phones)


def _calls(wiring: Wiring, profile: Profile) -> int:
    """Return how many calls the PBX has now; UNKNOWN where it does not say."""
    console = profile.console
    if console is None or not console.calls:
        return UNKNOWN
    never = Event()
    for left in reversed(range(TRIES)):
        try:
            answer = wiring.console.ask(console.socket, [console.calls], ASK_SECONDS)
        except BeistandError:
            if left:
                wiring.clock.wait(never, ASK_SECONDS)
            continue
        found = FIRST_NUMBER.search(answer[:1000])
        return int(found[0]) if found else UNKNOWN
    return UNKNOWN
