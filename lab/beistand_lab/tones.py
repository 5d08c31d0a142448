"""Each phone speaks one steady tone, so that decoded audio says who is heard."""

from __future__ import annotations

import math
import struct
import wave
from collections.abc import Sequence
from pathlib import Path

RATE = 8000
# Hz; no harmonic of one is another, and none is a tone that Asterisk itself plays (beep: 1000 Hz).
TONES = {101: 700, 102: 1100, 103: 1700}
# Of a window's energy, what one tone must hold to count as heard. A clean tone holds nearly all of it.
THRESHOLD = 0.6
_WINDOW = 800  # 0.1 s


def write_tone(file: Path, hertz: int, seconds: int = 300) -> None:
    """A WAV file with a tone; baresip hangs up when it has played it to its end."""
    samples = (round(9000 * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(RATE))
    # Whole periods: it may be repeated.
    one_second = b"".join(struct.pack("<h", sample) for sample in samples)
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(one_second * seconds)


def goertzel(samples: Sequence[int], hertz: int) -> float:
    """Share (0 to 1) of the samples' energy that lies in one frequency."""
    energy = sum(sample * sample for sample in samples)
    if not energy:
        return 0.0
    coefficient = 2 * math.cos(2 * math.pi * hertz / RATE)
    last = before = 0.0
    for sample in samples:
        last, before = sample + coefficient * last - before, last
    power = last * last + before * before - coefficient * last * before
    return 2 * power / (len(samples) * energy)


def seconds_of_tones(samples: Sequence[int]) -> dict[int, float]:
    """For each phone, how many seconds of its tone are in the samples."""
    heard = dict.fromkeys(TONES, 0.0)
    for start in range(0, len(samples) - _WINDOW + 1, _WINDOW):
        window = samples[start : start + _WINDOW]
        for number, hertz in TONES.items():
            if goertzel(window, hertz) > THRESHOLD:
                heard[number] += _WINDOW / RATE
    return heard


def _decode_ulaw(code: int) -> int:
    code = ~code & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return -magnitude if code & 0x80 else magnitude


def _decode_alaw(code: int) -> int:
    code ^= 0x55
    segment = (code & 0x70) >> 4
    magnitude = (code & 0x0F) << 4
    magnitude = magnitude + 8 if segment == 0 else (magnitude + 0x108) << (segment - 1)
    return magnitude if code & 0x80 else -magnitude


# Payload types of RFC 3551 section 6: 0 is PCMU, 8 is PCMA; ITU-T G.711.
DECODERS = {0: [_decode_ulaw(code) for code in range(256)], 8: [_decode_alaw(code) for code in range(256)]}
