"""A real house: the PBX files of an office with many phones, a queue, lamps, mailboxes and trunks.

It stands on the lab's own PBX files, so that phones 101 to 103 work in it, too. What the files say is pure text;
`furnish` puts it onto an appliance.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from beistand_lab import farm, provider
from beistand_lab.settings import Settings

QUEUE = 710
"""The number of the queue `house`; 700 is that of the lab's own PBX."""
KEYS = "/etc/asterisk/keys"
_PBX = "/etc/asterisk"
_OWN_FILES = Path(__file__).with_name("asterisk")
_CERTIFICATE = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=pbx"
)
_TLS = f"""
[tls]
type = transport
protocol = tls
bind = 0.0.0.0:5061
method = tlsv1_2
cert_file = {KEYS}/pbx.crt
priv_key_file = {KEYS}/pbx.key
"""
# The lab's own range is for the calls of three phones.
_RTP = "[general]\nrtpstart = 10000\nrtpend = 12000\n"
_MORE_MODULES = (
    *("app_mixmonitor", "app_originate", "app_record", "func_devstate", "func_presencestate"),
    "res_pjsip_pidf_digium_body_supplement",
    "res_pjsip_pidf_eyebeam_body_supplement",
)
"""What the house needs besides the modules of the lab's own PBX."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class House:
    """What is in the house. Phone N logs in as N with the password secretN."""

    first: int = farm.FIRST
    phones: int = farm.COUNT
    queue_members: int = 10
    """The first phones are in the queue `house`, below the first ones have lamps, and mailboxes."""
    lamps: int = 40
    """So many are watched, by the phones from `first` + 100 on."""
    mailboxes: int = 40
    """Of which the PBX tells their owners without being asked."""
    trunks: int = 3
    """Named trunk0, trunk1 …; each registers at a port of the provider."""
    qualify: int = 60
    """Seconds between two OPTIONS to a phone; 0: none."""
    trunks_register_at_once: bool = True
    """Whether `max_random_initial_delay = 0` stands in each registration; else Asterisk takes up to 10 s."""
    all_modules: bool = True
    """Whether Asterisk loads all that it has; else what the house needs."""
    max_contacts: int | None = None
    """Below as well: None leaves what the lab's own PBX has."""
    remove_existing: bool | None = None
    maximum_expiration: int | None = None

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(range(self.first, self.first + self.phones))

    @property
    def members(self) -> tuple[int, ...]:
        return self.numbers[: self.queue_members]

    @property
    def watched(self) -> tuple[tuple[int, int], ...]:
        """Pairs of the phone with the lamp and the phone that it watches."""
        return tuple((number + 100, number) for number in self.numbers[: self.lamps])

    @property
    def provider_ports(self) -> tuple[int, ...]:
        return tuple(range(provider.FIRST_PORT, provider.FIRST_PORT + self.trunks))

    def save(self, settings: Settings) -> None:
        _file(settings).write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")


def of(settings: Settings) -> House | None:
    """The house that a lab was furnished with."""
    file = _file(settings)
    return House(**json.loads(file.read_text())) if file.exists() else None


def files(house: House, provider_address: str) -> dict[str, str]:
    """For each file of the PBX its text. The certificate is not among them: see `furnish`."""
    return {
        f"{_PBX}/pjsip.conf": _own("pjsip.conf") + pjsip(house, provider_address),
        f"{_PBX}/extensions.conf": _own("extensions.conf") + extensions(house),
        f"{_PBX}/voicemail.conf": _own("voicemail.conf") + mailboxes(house),
        f"{_PBX}/queues.conf": _own("queues.conf", "[general]\npersistentmembers = yes\n") + queue(house),
        f"{_PBX}/modules.conf": modules(house),
        f"{_PBX}/rtp.conf": _RTP,
    }


def pjsip(house: House, provider_address: str) -> str:
    """Endpoints, their transport over TLS, and trunks."""
    settings = {
        "qualify_frequency": house.qualify,
        "max_contacts": house.max_contacts,
        "remove_existing": None if house.remove_existing is None else _yes(house.remove_existing),
        "maximum_expiration": house.maximum_expiration,
    }
    lines = [f"{name} = {value}" for name, value in settings.items() if value is not None]
    parts = [
        _TLS,
        "\n[house-contacts](!,contacts)\n" + "\n".join(lines) + "\n",
        *(_endpoint(number, house) for number in house.numbers),
        *(_trunk(place, house, provider_address) for place in range(house.trunks)),
    ]
    return "".join(parts)


def extensions(house: House) -> str:
    """Who can be dialled: each phone with its lamp, the queue, and with a 0 the world behind the first trunk."""
    hints = "".join(f"exten => {number},hint,PJSIP/{number}\n" for number in house.numbers)
    calls = "".join(
        f"exten => {number},1,Dial(PJSIP/{number},20)\n same => n,Hangup()\n" for number in house.numbers
    )
    world = "exten => _0.,1,Dial(PJSIP/${EXTEN:1}@trunk0,20)\n same => n,Hangup()\n" if house.trunks else ""
    queued = f"exten => {QUEUE},1,Answer()\n same => n,Queue(house,,,,60)\n same => n,Hangup()\n"
    return f"\n[inside](+)\n{hints}{calls}{queued}{world}"


def mailboxes(house: House) -> str:
    boxes = (f"{number} => 1111,Phone {number},{number}@lab.example\n" for number in _boxes(house))
    return "\n[default](+)\n" + "".join(boxes)


def queue(house: House) -> str:
    members = "".join(f"member => PJSIP/{number}\n" for number in house.members)
    how = "strategy = ringall\ntimeout = 15\nretry = 1\nringinuse = no\njoinempty = yes\n"
    return f"\n[house]\n{how}{members}"


def modules(house: House) -> str:
    if house.all_modules:
        return "[modules]\nautoload = yes\n"
    return _own("modules.conf") + "".join(f"load = {name}.so\n" for name in _MORE_MODULES)


def make_keys() -> str:
    """The shell command that makes the key of the PBX's TLS once, on the appliance that has the house."""
    return f"mkdir -p {KEYS} && cd {KEYS} && {{ test -e pbx.key || {_CERTIFICATE} -keyout pbx.key -out pbx.crt; }}"


def hand_over() -> str:
    """The shell command that gives the house's files to the PBX's account."""
    return f"chown -R asterisk:asterisk {_PBX} && chmod 640 {KEYS}/*"


def _endpoint(number: int, house: House) -> str:
    box = f"mailboxes = {number}@default\n" if number in _boxes(house) else ""
    return (
        f"\n[{number}](phone)\nauth = {number}\naors = {number}\ncallerid = Phone {number} <{number}>\n{box}"
        f"[{number}](house-contacts)\n"
        f"[{number}](password)\nusername = {number}\npassword = secret{number}\n"
    )


def _trunk(place: int, house: House, provider_address: str) -> str:
    name, where = f"trunk{place}", f"{provider_address}:{provider.FIRST_PORT + place}"
    delay = "max_random_initial_delay = 0\n" if house.trunks_register_at_once else ""
    return (
        f"\n[{name}]\ntype = registration\noutbound_auth = {name}\nserver_uri = sip:{where}\n"
        f"client_uri = sip:{name}@{where}\ncontact_user = {name}\n{delay}"
        f"[{name}]\ntype = endpoint\ncontext = inside\ndisallow = all\nallow = ulaw\ndirect_media = no\naors = {name}\n"
        f"outbound_auth = {name}\n"
        f"[{name}]\ntype = aor\ncontact = sip:{where}\nqualify_frequency = {house.qualify}\n"
        f"[{name}]\ntype = auth\nauth_type = userpass\nusername = {name}\npassword = secret\n"
    )


def _boxes(house: House) -> tuple[int, ...]:
    return house.numbers[: house.mailboxes]


def _own(name: str, otherwise: str = "") -> str:
    """The text of a file of the lab's own PBX."""
    file = _OWN_FILES / name
    return file.read_text() if file.exists() else otherwise


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def _file(settings: Settings) -> Path:
    return settings.folder / "house.json"
