"""What "answers SIP" hides: a trunk, a queue and a lamp, before the cord and after the click."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable

from beistand_lab import calls
from beistand_lab.demo.teller import Teller
from beistand_lab.errors import ConditionNotMet
from beistand_lab.farm import Farm
from beistand_lab.lab import Lab, wait_for
from beistand_lab.provider import Provider

GOAL_SECONDS = 3.0
"""After the first SIP answer, or after the call to the queue: nobody has begun to wonder yet."""
PATIENCE_SECONDS = 65.0
"""Asterisk asks each phone once a minute: after this time it is not going to come right."""
QUEUE, MEMBERS = 700, (102, 103)
WATCHING, WATCHED = 101, 103
"""Whose lamp: 103 takes no part in the first call, so that nothing but the takeover changes what it shows."""
FREE = "Ready"
"""What a lamp is told of a phone that can be called and is in no call."""
TRUNK_PASSWORD = "a-password"  # noqa: S105  # of the lab's provider
TRUNK_FILE = "/etc/asterisk/pjsip_trunk.conf"
_TRUNK = """\
[provider]
type = registration
transport = udp
server_uri = sip:{address}:{port}
client_uri = sip:house@{address}:{port}
contact_user = house
outbound_auth = provider
max_random_initial_delay = 0

[provider]
type = auth
auth_type = userpass
username = house
password = {password}
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Taken:
    """When a takeover was clicked, and when the first SIP answer came; epoch seconds."""

    click: float
    sip: float


class House:
    """The provider of the trunk, and a lamp; both end with the lab."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.provider = Provider(lab.settings, count=1)
        # A farm of one: the lamp beside phone 101, whose name and password it uses.
        self.lamp = Farm(lab.settings, WATCHING, 1)

    def connect_trunk(self) -> None:
        """The administrator writes the trunk's file on the active and reloads; returns when it is registered."""
        self.provider.start(password=TRUNK_PASSWORD)
        begin, address = time.time(), self.lab.settings.address("m")
        self.lab.copy_in(
            "a",
            TRUNK_FILE,
            _TRUNK.format(address=address, port=self.provider.ports[0], password=TRUNK_PASSWORD),
        )
        self.lab.sh("a", ["/usr/sbin/asterisk", "-rx", "core reload"])
        wait_for(lambda: self.trunk_registered(begin), 40, "the trunk to be registered at the provider")

    def light_lamp(self) -> None:
        """Phone 101 watches 103; returns when it shows that 103 is free."""
        self.lamp.start()
        begin = self.lamp.subscribe([(WATCHING, WATCHED)])
        wait_for(lambda: self.lamp_right(begin), PATIENCE_SECONDS, "the lamp to be right")

    def trunk_registered(self, after: float) -> float:
        """When the provider accepted the first registration since then; 0 while it did not."""
        return self.provider.registered(after).get(self.provider.ports[0], 0.0)

    def lamp_right(self, after: float) -> float:
        """When the lamp was first told since then that its phone is free; 0 while it was not."""
        told = self.lamp.events(after, "NOTIFY")
        return next((float(each["time"]) for each in told if each["state"] == FREE), 0.0)


def see_everything_ring(house: House, teller: Teller, taken: Taken) -> None:
    """After the first call: lamp, queue and trunk, each with its seconds."""
    with contextlib.suppress(ConditionNotMet):
        wait_for(lambda: house.lamp_right(taken.click), GOAL_SECONDS, "the lamp to be right")
    queue = _queue_rings(house.lab, teller)
    teller.measure(
        "queue_rings_seconds",
        queue,
        "  101 calls the queue: seconds until both members ring",
        most=GOAL_SECONDS,
    )
    lamp = _seconds_until(lambda: house.lamp_right(taken.click), taken.sip, "the lamp")
    text = f"  the lamp of {WATCHED} at {WATCHING} is right: seconds after the first SIP answer"
    teller.measure("lamp_right_seconds", lamp, text, most=GOAL_SECONDS)
    trunk = _seconds_until(lambda: house.trunk_registered(taken.click), taken.sip, "the trunk")
    text = "  the trunk is registered at its provider: seconds after the first SIP answer"
    teller.measure("trunk_registered_seconds", trunk, text, most=GOAL_SECONDS)


def _queue_rings(lab: Lab, teller: Teller) -> float | None:
    caller = lab.phone(WATCHING)
    begin = caller.dial(QUEUE)
    rung: list[float] = []
    try:
        for number in MEMBERS:
            left = begin + PATIENCE_SECONDS - time.time()
            event = lab.phone(number).wait_for_event("CALL_INCOMING", begin, left)
            rung.append(float(event["time"]))
    except ConditionNotMet as error:
        teller.act(f"  {error}")
    caller.hangup()
    calls.wait_until_idle(lab, caller.number, *MEMBERS)
    return max(rung) - begin if len(rung) == len(MEMBERS) else None


def _seconds_until(seen: Callable[[], float], since: float, what: str) -> float | None:
    try:
        moment = wait_for(seen, max(GOAL_SECONDS, since + PATIENCE_SECONDS - time.time()), what)
    except ConditionNotMet:
        return None
    # What came a moment before the first answer to a question did not come late.
    return max(0.0, moment - since)
