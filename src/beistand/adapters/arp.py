"""Raw ARP (port `Arp`): one resident socket and one listening thread for each interface.

Answers are collected by the listener, which was there before the first question went out: none is missed.
"""

import errno
import fcntl
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from zlib import crc32

from beistand.domain.errors import Failed
from beistand.domain.value import Value
from beistand.ports.network import Answers, Tried

ETHERTYPE_ARP = 0x0806
REQUEST, REPLY = 1, 2
PROBES, PROBE_SECONDS, LISTEN_SECONDS = 3, 0.2, 0.4
NOBODY = "0.0.0.0"  # the sender of an ARP probe (RFC 5227 section 1.1)
SIOCGIFFLAGS, IFF_RUNNING = 0x8913, 0x40
BROADCAST = b"\xff" * 6
UNKNOWN = b"\0" * 6
TRIAL = (
    b"TRIAL\0"  # where a request leaves the target's MAC open: no other program's frame is taken for a trial
)
ASKING = b"ASKS\0\0"
"""Marks a question that is asked as nobody: who probes for an address at the same time takes it for no rival."""
CONTENDER = b"S"
"""Begins the mark of `contend`, five bytes of seconds follow. No card's MAC begins so: the bit of groups is set."""
LONGEST_SERVICE = (1 << 40) - 1
FOREIGN_NET = "198.51.100."  # TEST-NET-2 (RFC 5737): nobody has such an address
MOST_TRIERS = 100
"""Machines whose trials are remembered: anybody can send such frames."""
_FRAME = struct.Struct("!6s6sHHHBBH6s4s6s4s")


class Heard(Value, frozen=True, kw_only=True):
    """One ARP frame of another machine."""

    is_request: bool
    mac: str
    sender: str
    target: str
    is_trial: bool = False
    is_question: bool = False
    """Asked as nobody, and not because its sender wants the address."""
    contends: int | None = None
    """Seconds that its sender says it has been serving."""


class RawArp:
    """Asks from the own address, as `own_ip` says: 0.0.0.0 where it is not there. Many threads may use it."""

    def __init__(self, own_ip: Callable[[], str] | str) -> None:
        self._own_ip = own_ip if callable(own_ip) else lambda: own_ip
        self._ears: dict[str, _Ear] = {}
        self._lock = Lock()

    def ask(
        self, interface: str, addresses: Sequence[str], seconds: float, *, as_nobody: bool = False
    ) -> Answers:
        """Raise Failed `interface-down`. Each address is asked twice: one frame may be lost."""
        own = NOBODY if as_nobody else self._own_ip()
        mark = ASKING if own == NOBODY else UNKNOWN
        wanted, macs = set(addresses), dict[str, str]()
        ear = self._ear(interface)
        with ear.listening() as heard:
            end = monotonic() + seconds
            for until in (end - seconds / 2, end):
                for each in wanted - set(macs):
                    ear.send(REQUEST, own, each, marked=mark)
                for frame in _until(heard, until):
                    if frame.sender in wanted:
                        macs.setdefault(frame.sender, frame.mac)
                    if len(macs) == len(wanted):
                        return Answers(macs=macs)
        return Answers(macs=macs)

    def fast_probe(self, interface: str, address: str, overlooked: str = "") -> str:
        """Raise Failed `interface-down`: a probe that nobody could hear proves nothing."""
        ear = self._ear(interface)
        with ear.listening() as heard:
            begin = monotonic()
            for number in range(1, PROBES + 1):
                ear.send(REQUEST, NOBODY, address)
                last = number == PROBES
                until = begin + (number - 1) * PROBE_SECONDS + (LISTEN_SECONDS if last else PROBE_SECONDS)
                for frame in _until(heard, until):
                    if _conflicts(frame, address) and frame.mac.lower() != overlooked.lower():
                        return frame.mac
        return ""

    def announce(self, interface: str, address: str) -> None:
        """Raise Failed `interface-down`."""
        ear = self._ear(interface)
        ear.send(REQUEST, address, address)
        ear.send(REPLY, address, address)

    def tell(self, interface: str, address: str, targets: Sequence[str]) -> None:
        """Raise Failed `interface-down`."""
        ear = self._ear(interface)
        for each in targets:
            ear.send(REQUEST, address, each)

    def reaches(self, interface: str, address: str, mac: str, seconds: float) -> bool:
        """Raise Failed `interface-down`."""
        ear = self._ear(interface)
        with ear.listening() as heard:
            ear.send(REQUEST, self._own_ip(), address, to=bytes.fromhex(mac.replace(":", "")))
            return any(frame.sender == address for frame in _until(heard, monotonic() + seconds))

    def holders(self, interface: str, addresses: Sequence[str], seconds: float) -> tuple[str, ...]:
        """Raise Failed `interface-down`."""
        ear, own = self._ear(interface), self._own_ip()
        with ear.listening() as heard:
            for each in addresses:
                ear.send(REQUEST, own, each, marked=ASKING if own == NOBODY else UNKNOWN)
            frames = [each for each in _until(heard, monotonic() + seconds) if each.sender in addresses]
        return tuple(sorted({each.mac for each in frames}))

    def try_out(self, interface: str) -> None:
        """Raise Failed `interface-down`."""
        ear = self._ear(interface)
        foreign = ear.foreign_address()
        ear.send(REQUEST, foreign, foreign, marked=TRIAL)
        ear.send(REQUEST, NOBODY, self._own_ip(), marked=TRIAL)

    def tried(self, interface: str, mac: str) -> Tried | None:
        """Raise Failed `interface-down`."""
        return self._ear(interface).tried(mac.lower())

    def contend(self, interface: str, address: str, seconds: float) -> None:
        """Raise Failed `interface-down`."""
        mark = CONTENDER + min(int(seconds), LONGEST_SERVICE).to_bytes(5, "big")
        self._ear(interface).send(REQUEST, address, address, marked=mark)

    def contended(self, interface: str, mac: str) -> float | None:
        """Raise Failed `interface-down`."""
        return self._ear(interface).contenders.get(mac.lower())

    def rival(self, interface: str, addresses: Sequence[str], seconds: float) -> str:
        """Raise Failed `interface-down`."""
        with self._ear(interface).listening() as heard:
            for frame in _until(heard, monotonic() + seconds):
                if frame.sender in addresses:
                    return frame.mac
        return ""

    def close(self) -> None:
        with self._lock:
            ears, self._ears = list(self._ears.values()), {}
        for ear in ears:
            ear.close()

    def _ear(self, interface: str) -> "_Ear":
        with self._lock:
            ear = self._ears.get(interface)
            if ear is None or ear.is_deaf:
                ear = self._ears[interface] = _Ear(interface)
            return ear


class _Ear:
    """A socket on one interface, and the thread that hears everything on it."""

    def __init__(self, interface: str) -> None:
        self._interface = interface
        self._lock = Lock()
        self._listeners: list[SimpleQueue[Heard]] = []
        self.is_deaf = False
        self._trials: dict[str, tuple[float, int]] = {}
        """When the last control frame of a MAC came, and how many did without their announcement."""
        self.contenders: dict[str, float] = {}
        """Seconds that another machine said it has been serving, by its MAC."""
        self._announced: set[str] = set()
        """Whose announcement came and whose control frame has not come yet."""
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            self._socket.bind((interface, ETHERTYPE_ARP))
        except OSError as error:
            self._socket.close()
            raise Failed("interface-down", interface=interface, why=error.strerror or str(error)) from error
        self._socket.settimeout(1.0)
        Thread(target=self._hear, name=f"arp-{interface}", daemon=True).start()

    def tried(self, mac: str) -> Tried | None:
        known = self._trials.get(mac)
        return Tried(seconds=monotonic() - known[0], lost=known[1]) if known else None

    def foreign_address(self) -> str:
        """Return an address of nobody, another one for each MAC: two trials never look like a conflict."""
        return f"{FOREIGN_NET}{1 + crc32(self._mac()) % 254}"

    def send(
        self, operation: int, sender: str, target: str, to: bytes = BROADCAST, marked: bytes = UNKNOWN
    ) -> None:
        try:
            # Without carrier the kernel takes the frame and drops it: silence would prove nothing.
            if not self._is_running():
                raise OSError(errno.ENETDOWN, "no carrier")
            mac = self._mac()
            known = mac if operation == REPLY else marked
            self._socket.send(
                _FRAME.pack(
                    to,
                    mac,
                    ETHERTYPE_ARP,
                    1,
                    0x0800,
                    6,
                    4,
                    operation,
                    mac,
                    socket.inet_aton(sender),
                    known,
                    socket.inet_aton(target),
                )
            )
        except OSError as error:
            self.is_deaf = self.is_deaf or error.errno in {errno.ENXIO, errno.ENODEV}
            why = error.strerror or str(error)
            raise Failed("interface-down", interface=self._interface, why=why) from error

    @contextmanager
    def listening(self) -> "Iterator[SimpleQueue[Heard]]":
        queue: SimpleQueue[Heard] = SimpleQueue()
        with self._lock:
            self._listeners.append(queue)
        try:
            yield queue
        finally:
            with self._lock:
                self._listeners.remove(queue)

    def close(self) -> None:
        self.is_deaf = True

    def _mac(self) -> bytes:
        return bytes(self._socket.getsockname()[4])

    def _is_running(self) -> bool:
        request = struct.pack("16sH14x", self._interface.encode(), 0)
        (flags,) = struct.unpack_from("H", fcntl.ioctl(self._socket, SIOCGIFFLAGS, request), 16)
        return bool(flags & IFF_RUNNING)

    def _hear(self) -> None:
        while not self.is_deaf:
            try:
                raw, source = self._socket.recvfrom(2048)
            except TimeoutError:
                continue
            except OSError as error:
                # ENETDOWN is told once and passes with the link; anything else ends this socket.
                self.is_deaf = self.is_deaf or error.errno != errno.ENETDOWN
                continue
            frame = _decoded(raw)
            # A looped switch brings our own frames back: they are nobody's claim.
            if frame and source[2] != socket.PACKET_OUTGOING and frame.mac != self._mac().hex(":"):
                if frame.is_trial:
                    self._take_trial(frame)
                if frame.contends is not None:
                    self._take_contender(frame.mac, frame.contends)
                with self._lock:
                    for each in self._listeners:
                        each.put(frame)
        self._socket.close()

    def _take_contender(self, mac: str, seconds: int) -> None:
        if mac in self.contenders or len(self.contenders) < MOST_TRIERS:
            self.contenders[mac] = float(seconds)

    def _take_trial(self, frame: Heard) -> None:
        """Note a trial: the control frame follows its announcement, unless a switch dropped that."""
        if frame.sender != NOBODY:
            self._announced.add(frame.mac)
            return
        before = self._trials.get(frame.mac)
        if frame.mac in self._announced:
            self._announced.discard(frame.mac)
            lost = 0
        else:
            lost = (before[1] if before else 0) + 1
        if before or len(self._trials) < MOST_TRIERS:
            self._trials[frame.mac] = (monotonic(), lost)


def _seconds(marked: bytes) -> int | None:
    return int.from_bytes(marked[1:], "big") if marked[:1] == CONTENDER else None


def _decoded(raw: bytes) -> Heard | None:
    if len(raw) < _FRAME.size:
        return None
    _, _, _, hardware, protocol, _, _, operation, mac, sender, marked, target = _FRAME.unpack_from(raw)
    if (hardware, protocol) != (1, 0x0800):
        return None
    return Heard(
        is_request=operation == REQUEST,
        mac=mac.hex(":"),
        sender=socket.inet_ntoa(sender),
        target=socket.inet_ntoa(target),
        is_trial=marked == TRIAL and operation == REQUEST,
        is_question=marked == ASKING and operation == REQUEST,
        contends=_seconds(marked) if operation == REQUEST and sender == target else None,
    )


def _conflicts(frame: Heard, address: str) -> bool:
    """RFC 5227 section 2.1.1: whoever uses the address, or probes for it at the same time."""
    probes_too = frame.is_request and frame.sender == NOBODY and frame.target == address
    probes_too = probes_too and not frame.is_question
    return frame.sender == address or probes_too


def _until(heard: "SimpleQueue[Heard]", end: float) -> Iterator[Heard]:
    while True:
        rest = end - monotonic()
        try:
            yield heard.get(timeout=rest) if rest > 0 else heard.get_nowait()
        except Empty:
            if monotonic() >= end:
                return
