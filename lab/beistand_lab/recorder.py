"""The switch's memory: writes every frame that enters a port to a pcap file, from `up` to `down`.

Runs as a process in the switch's namespace: `python -m beistand_lab.recorder FILE BRIDGE`. Only frames
that come *in* are taken, so each is there once, with the kernel's time of arrival in nanoseconds.
"""

from __future__ import annotations

import select
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import BinaryIO

MAGIC = 0xA1B23C4D  # pcap with nanoseconds
GLOBAL_HEADER = struct.Struct("=IHHiIII")
RECORD_HEADER = struct.Struct("=IIII")
SIP_PORTS = (5060, 5061)

_ETH_P_ALL = 3
_SO_TIMESTAMPNS = 35
_SO_RCVBUFFORCE = 33
_SOL_PACKET = 263
_PACKET_STATISTICS = 6
_PACKET_IGNORE_OUTGOING = 23
_BUFFER = 256 * 1024 * 1024
_LONGEST_FRAME = 65536 + 64
# Bulk data is counted, not kept: of a TCP frame that carries no SIP the headers are enough.
_KEPT_OF_TCP = 128


def main() -> None:
    """Records until SIGTERM or the end of the lab."""
    file, bridge = Path(sys.argv[1]), sys.argv[2]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with _listen() as packets, file.open("wb") as out:
        out.write(GLOBAL_HEADER.pack(MAGIC, 2, 4, 0, 0, _LONGEST_FRAME, 1))
        out.flush()
        while True:
            select.select([packets], [], [])
            _drain(packets, out, bridge)
            out.flush()
            _tell_drops(packets, file)


def _listen() -> socket.socket:
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    packets.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
    packets.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    packets.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    packets.setblocking(False)
    return packets


def _drain(packets: socket.socket, out: BinaryIO, bridge: str) -> None:
    while True:
        try:
            data, ancillary, _, address = packets.recvmsg(_LONGEST_FRAME, 64)
        except BlockingIOError:
            return
        # The bridge hands frames for the gateway up a second time, under its own name.
        if address[0] == bridge or address[0] == "lo":
            continue
        seconds, nanoseconds = struct.unpack("=qq", ancillary[0][2])
        kept = data if _worth_keeping(data) else data[:_KEPT_OF_TCP]
        out.write(RECORD_HEADER.pack(seconds, nanoseconds, len(kept), len(data)))
        out.write(kept)


def _worth_keeping(data: bytes) -> bool:
    if len(data) <= _KEPT_OF_TCP or data[12:14] != b"\x08\x00" or data[23] != socket.IPPROTO_TCP:
        return True
    ports = struct.unpack_from("!HH", data, 14 + (data[14] & 15) * 4)
    return any(port in SIP_PORTS for port in ports)


def _tell_drops(packets: socket.socket, file: Path) -> None:
    """Frames that were lost for want of room are counted beside the capture: it may not be believed then."""
    _, drops = struct.unpack("=II", packets.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
    if drops:
        with file.with_suffix(".drops").open("a") as told:
            told.write(f"{drops}\n")


if __name__ == "__main__":
    main()
