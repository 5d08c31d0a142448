"""Tell a network manager of its changed files, with the link up all the while (port `NetworkManagers`)."""

from collections.abc import Callable
from pathlib import Path

from beistand.adapters.commands import run
from beistand.domain.errors import Failed
from beistand.domain.network_file_keyfile import is_named, matches

SECONDS = 20.0
GENERATED_PROFILES = Path("/run/NetworkManager/system-connections")
MACS = Path("/sys/class/net")


class LocalNetworkManagers:
    def apply(self, manager: str, interface: str, paths: tuple[str, ...]) -> None:
        acts: dict[str, Callable[[str, tuple[str, ...]], None]] = {
            "systemd-networkd": _networkd,
            "ifupdown": _nothing,
            "NetworkManager": _network_manager,
            "netplan": _netplan,
        }
        if manager not in acts:
            raise Failed("network-manager-unknown", interface=interface)
        acts[manager](interface, paths)


def _nothing(_interface: str, _paths: tuple[str, ...]) -> None:
    """Of ifupdown: it reads its file at `ifup` and `ifdown` only, and either one takes the link away."""


def _networkd(_interface: str, _paths: tuple[str, ...]) -> None:
    # It configures anew what a changed file is for, and nothing else.
    run(["networkctl", "reload"], seconds=SECONDS)


def _network_manager(interface: str, paths: tuple[str, ...]) -> None:
    for path in paths:
        run(["nmcli", "connection", "load", path], seconds=SECONDS)
    # "up" would take the link down; this changes addresses and routes only.
    run(["nmcli", "device", "reapply", interface], seconds=SECONDS)


def _netplan(interface: str, _paths: tuple[str, ...]) -> None:
    """Make its files anew, and tell whoever reads them: `netplan apply` would restart what it finds."""
    run(["netplan", "generate"], seconds=SECONDS)
    mac = _text(MACS / interface / "address").strip()
    if profile := generated_profile(GENERATED_PROFILES, interface, mac):
        _network_manager(interface, (str(profile),))
    else:
        _networkd(interface, ())


def generated_profile(folder: Path, interface: str, mac: str) -> Path | None:
    """Return what netplan made for NetworkManager: named after its key, which may be another name than ours."""
    texts = {each: _text(each) for each in sorted(folder.glob("netplan-*.nmconnection"))}
    fitting = [each for each, text in texts.items() if matches(text, interface, mac)]
    # One that names the interface before one for any.
    return min(fitting, key=lambda each: not is_named(texts[each], interface), default=None)


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
