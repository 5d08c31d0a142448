"""The switch's capture, read: frames as values, and questions about them as plain functions.

Times are epoch seconds of the kernel. Each frame is there once, as it entered the switch.
"""

from __future__ import annotations

from pathlib import Path

from beistand_lab import recorder
from beistand_lab.errors import LabError
from beistand_lab.frames import ArpClaim, Frame, IpPacket, arp_claims, bytes_between, ip_packets
from beistand_lab.rtp import RtpStream, rtp_streams
from beistand_lab.sip_messages import SipMessage, registers_answered, sip_messages


class Capture:
    """Reads the growing file of a lab's recorder; each call sees the frames up to now."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = recorder.GLOBAL_HEADER.size
        self._frames: list[Frame] = []

    def frames(self, begin: float = 0, end: float = 9e9) -> list[Frame]:
        """The frames between two times; LabError when the recorder had to drop some."""
        if self._file.with_suffix(".drops").exists():
            raise LabError("the capture is not complete: the recorder dropped frames")
        self._read_on()
        return [frame for frame in self._frames if begin <= frame.time <= end]

    def arp_claims(self, address: str, after: float = 0) -> list[ArpClaim]:
        return arp_claims(self.frames(after), address)

    def bytes_between(self, one: str, other: str, begin: float, end: float) -> int:
        return bytes_between(self.frames(begin, end), one, other)

    def ip_packets(self, begin: float = 0, end: float = 9e9) -> list[IpPacket]:
        return ip_packets(self.frames(begin, end))

    def sip_messages(self, begin: float = 0, end: float = 9e9) -> list[SipMessage]:
        return sip_messages(self.ip_packets(begin, end))

    def registers_answered(self, begin: float = 0, end: float = 9e9) -> list[SipMessage]:
        return registers_answered(self.sip_messages(begin, end))

    def rtp_streams(self, begin: float = 0, end: float = 9e9) -> list[RtpStream]:
        return rtp_streams(self.ip_packets(begin, end))

    def _read_on(self) -> None:
        header = recorder.RECORD_HEADER
        with self._file.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        position = 0
        while position + header.size <= len(data):
            seconds, nanoseconds, kept, length = header.unpack_from(data, position)
            end = position + header.size + kept
            if end > len(data):
                break  # the recorder is in the middle of this one
            frame = Frame(seconds + nanoseconds / 1e9, data[position + header.size : end], length)
            self._frames.append(frame)
            position = end
        self._offset += position
