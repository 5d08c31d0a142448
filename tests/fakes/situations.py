"""Facts, greetings and grants for tests: an ordinary situation, to be changed in what a test is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from beistand.domain.facts import Facts, PeerSigns
from beistand.domain.generation import Copy, CopyState, Generation
from beistand.domain.pair import Appliance, Greeting
from beistand.domain.role import Grant, Side, Standing

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
A, B = "a" * 16, "b" * 16
A_MAC, B_MAC, STRANGER_MAC = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:99"
SILENT = PeerSigns(arp=False, icmp=False, ssh=False, agent=False)
RUNNING = PeerSigns(arp=True, icmp=True, ssh=True, agent=True)
HUNG = PeerSigns(arp=True, icmp=True, ssh=False, agent=False)


def generation(**changes: Any) -> Generation:
    values: dict[str, Any] = {
        "id": "20260302T070000Z-7",
        "pair": "0" * 32,
        "source": A,
        "epoch": 2,
        "sequence": 7,
        "begin": NOW - timedelta(hours=1),
        "end": NOW - timedelta(minutes=59),
        "profile": "asterisk",
        "pbx_version": "Asterisk 22",
        "manifest": "0" * 64,
        "entries": 3,
        "size": 1000,
    }
    return Generation(**{**values, **changes})


def imported(**changes: Any) -> Copy:
    return Copy(generation=generation(**changes), state=CopyState.IMPORTED, at=NOW - timedelta(minutes=50))


def facts(**changes: Any) -> Facts:
    """Return what the standby sees when the active has died and everything else is well."""
    values: dict[str, Any] = {
        "at": NOW,
        "carrier": True,
        "gateway": True,
        "phones_known": 10,
        "phones_answering": 9,
        "holder_mac": "",
        "peer_mac": A_MAC,
        "peer": SILENT,
        "peer_epoch": 0,
        "sip": False,
        "copy": imported(),
        "import_running": False,
    }
    return Facts(**{**values, **changes})


def grant(epoch: int, holder: str, parent: int = 0) -> Grant:
    return Grant(epoch=epoch, holder=holder, parent=parent, operator="test", at=NOW, evidence="")


def standing(me: str, known: Grant | None, own_epoch: int = 0) -> Standing:
    own = known.epoch if known and known.holder == me else own_epoch
    return Standing(me=me, side=Side.EVEN if me == A else Side.ODD, grant=known, own_epoch=own)


def appliance(node: str) -> Appliance:
    return Appliance(
        node=node,
        host=f"pbx-{node[0]}",
        own_address="192.0.2.1/24" if node == A else "192.0.2.2/24",
        service_addresses=("192.0.2.10",),
        mac=A_MAC if node == A else B_MAC,
        beistand_version="0.1.0",
        pbx_version="Asterisk 22",
        profile="asterisk",
        licence_key="",
        gateway="192.0.2.254",
        dns=(),
        is_static=True,
        now=NOW,
    )


def greeting(of: Standing, *, serving: bool = False, unverified_seconds: float = 0.0) -> Greeting:
    return Greeting(
        appliance=appliance(of.me),
        grant=of.grant,
        own_epoch=of.own_epoch,
        serving=serving,
        verified=serving and unverified_seconds == 0,
        served_unverified_seconds=unverified_seconds,
        config_revision=1,
        newest=None,
    )
