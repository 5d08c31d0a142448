"""What a lab is: its name, its subnet, and every address, number and folder that follows from them."""

from __future__ import annotations

import dataclasses
import hashlib
import ipaddress
import json
from pathlib import Path

from beistand_lab.errors import LabError

APPLIANCES = ("a", "b")
SPARE = "c"
"""A third machine: it exists only once somebody cloned a disk for it (cloning.py)."""
MACHINES = (*APPLIANCES, SPARE)
HOSTS = ("a", "b", "t", "m", "sw")
PHONES = (101, 102, 103)
ROOT_PASSWORD = "lab-secret"  # noqa: S105  # of the two appliances, for `beistand pair`
MANAGERS = ("systemd-networkd", "ifupdown", "networkmanager", "netplan", "netplan-nm")
"""What may configure an appliance's interface; `netplan` has networkd do it, `netplan-nm` NetworkManager."""
LABS = Path("/run/beistand-lab")
PROJECT = Path(__file__).resolve().parents[2]
BUILD = PROJECT / "build" / "lab"

_LAST_OCTET = {"a": 1, "b": 2, "c": 3, "m": 9, "service": 10, "t": 50, "sw": 254}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """One lab. Everything but these fields is computed from them."""

    name: str
    subnet: str = "10.77.0.0/24"
    plain: bool = False
    asterisk_layer: str = ""
    golden_layer: str = ""
    managers_layer: str = ""
    manager: str = MANAGERS[0]
    """The network manager of both appliances, or a's and b's with a comma between."""
    disk_size: str = "1g"
    """Of each appliance's root, and below of its spool; as mount(8) takes a tmpfs's size. Memory is used as
    it fills."""
    spool_size: str = "256m"

    def __post_init__(self) -> None:
        if not self.name.isascii() or not self.name.replace("-", "").isalnum() or len(self.name) > 40:
            raise LabError(f"{self.name!r} cannot be a lab's name", "use letters, digits and dashes")
        try:
            network = ipaddress.IPv4Network(self.subnet)
        except ValueError as error:
            raise LabError(f"{self.subnet} is not an IPv4 subnet: {error}", "like 10.77.3.0/24") from None
        if network.prefixlen != 24:
            raise LabError(f"{self.subnet} is not a /24", "the lab's hosts have fixed last octets")

        wrong = sorted({*self.manager.split(",")} - {*MANAGERS})
        if wrong or self.manager.count(",") > 1:
            raise LabError(f"{self.manager} is no network manager", f"there are {', '.join(MANAGERS)}")

    def manager_of(self, appliance: str) -> str:
        """Which of MANAGERS configures the interface of an appliance."""
        named = self.manager.split(",")
        return named[-1] if appliance == "b" else named[0]

    @property
    def folder(self) -> Path:
        """The working folder: every file and mount of this lab is below it."""
        return LABS / self.name

    @property
    def service_address(self) -> str:
        return self.address("service")

    @property
    def gateway(self) -> str:
        return self.address("sw")

    def address(self, host: str) -> str:
        """IPv4 address of a host, or of `service`, the one that phones know."""
        return self.nth(_LAST_OCTET[host])

    def phone_address(self, number: int) -> str:
        """IPv4 address of a phone: 101 has .51, and so on."""
        return self.nth(number - 50)

    def nth(self, last_octet: int) -> str:
        return str(ipaddress.IPv4Network(self.subnet)[last_octet])

    def mac(self, host: str) -> str:
        """Ethernet address of a host: locally administered, different for each lab and host."""
        seed = hashlib.sha256(f"{self.name} {self.subnet}".encode()).digest()[:4]
        return ":".join(f"{byte:02x}" for byte in (0x02, *seed, _LAST_OCTET[host]))

    def machine_id(self, host: str) -> str:
        return hashlib.sha256(f"machine {self.name} {self.subnet} {host}".encode()).hexdigest()[:32]

    def namespace(self, host: str) -> Path:
        """The file that holds a host's network namespace."""
        return self.folder / "net" / host

    def root(self, appliance: str) -> Path:
        """Where an appliance's root file system is mounted, switched on or off."""
        return self.folder / appliance / "disk" / "root"

    def phone_folder(self, number: int) -> Path:
        return self.folder / "phones" / str(number)

    @property
    def capture_file(self) -> Path:
        return self.folder / "capture.pcap"

    @property
    def mail_folder(self) -> Path:
        return self.folder / "mails"

    @property
    def file(self) -> Path:
        return self.folder / "settings.json"

    def save(self) -> None:
        """Written last by `up`: a lab without this file was never finished."""
        beside = self.file.with_suffix(".new")
        beside.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")
        beside.rename(self.file)


def rtp_ports(number: int) -> range:
    """The UDP ports that a phone speaks and hears from."""
    first = 20000 + (number - 100) * 20
    return range(first, first + 20)


def phone_with_port(port: int) -> int | None:
    return next((number for number in PHONES if port in rtp_ports(number)), None)


def load(name: str) -> Settings:
    """The settings of a lab that is up; LabError where there is none of that name."""
    try:
        return Settings(**json.loads((LABS / name / "settings.json").read_text()))
    except FileNotFoundError:
        raise LabError(f"there is no lab {name!r}", f"beistand-lab --name {name} up") from None
