"""Calls between phones of the lab, judged by the sound at the switch."""

from __future__ import annotations

import time

from beistand_lab.errors import ConditionNotMet
from beistand_lab.frames import IpPacket
from beistand_lab.lab import Lab, wait_for
from beistand_lab.settings import phone_with_port

ENOUGH_SECONDS = 0.5
"""Of a phone's tone: it was heard."""
SPEAK_SECONDS = 3.0


def dial_and_wait_for_the_end(lab: Lab, caller: int, target: str, seconds: float = 20) -> None:
    """Dial a service of the PBX that hangs up by itself."""
    phone = lab.phone(caller)
    begin = phone.dial(target)
    phone.wait_for_event("CALL_ESTABLISHED", begin, seconds)
    phone.wait_for_event("CALL_CLOSED", begin, seconds)


def wait_until_idle(lab: Lab, *numbers: int, seconds: float = 20) -> None:
    """Wait until these phones are in no call: the end of one takes a moment to reach the other side."""

    def is_idle(number: int) -> bool:
        return lab.phone(number).status().call == "idle"

    wait_for(lambda: all(map(is_idle, numbers)), seconds, f"the end of the calls of {numbers}")


def leave_message(lab: Lab, caller: int, callee: int) -> bool:
    """Leave voicemail directly; tells whether the PBX took the caller's tone for some seconds."""
    phone = lab.phone(caller)
    begin = phone.dial(f"*{callee}")
    phone.wait_for_event("CALL_ESTABLISHED", begin, 20)

    def spoken() -> bool:
        return seconds_heard(lab, caller, begin, to_phone=None) >= SPEAK_SECONDS

    try:
        wait_for(spoken, 20, f"the message of {caller}")
    except ConditionNotMet:
        return False
    finally:
        phone.hangup()
    return True


def hears(lab: Lab, listener: int, speaker: int, begin: float, seconds: float = 15) -> bool:
    """Tell whether the listener gets the speaker's tone, in sound that passed the switch since `begin`."""

    def heard() -> bool:
        return seconds_heard(lab, speaker, begin, to_phone=listener) >= ENOUGH_SECONDS

    try:
        wait_for(heard, seconds, f"{speaker} to be heard by {listener}")
    except ConditionNotMet:
        return False
    return True


def seconds_heard(lab: Lab, speaker: int, begin: float, *, to_phone: int | None) -> float:
    """Seconds of a phone's tone on the way to a phone, or to the PBX (None)."""
    streams = lab.capture.rtp_streams(begin, time.time())
    return max(
        (each.seconds_of_tones()[speaker] for each in streams if each.to_phone == to_phone), default=0.0
    )


def is_rtp_to(packet: IpPacket, listener: int) -> bool:
    """Tell whether a packet brings sound to a phone."""
    return phone_with_port(packet.destination_port) == listener and len(packet.payload) > 100
