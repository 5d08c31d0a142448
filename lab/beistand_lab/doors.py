"""Ports of this machine's own loopback that lead to the appliances' pages: for a person's browser, not for tests.

Nothing of the lab's network is visible here; a process of the lab carries each connection inside and ends with it.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
from pathlib import Path
from threading import Thread

from beistand_lab import commands, control_groups, network
from beistand_lab.errors import LabError
from beistand_lab.lab import Lab
from beistand_lab.settings import APPLIANCES, Settings, load

PAGES = 8443
FIRST_PORT = 8441
NAMES = {"a": "localhost", "b": "127.0.0.1"}
"""One name each: a browser keeps cookies by name, not by port, and would log out of one page on the other."""
CONNECT_SECONDS = 10.0


def open_doors(lab: Lab) -> dict[str, str]:
    """Return the addresses of both pages on this machine; they answer until the lab goes."""
    file = _file(lab.settings)
    if not file.exists():
        python = [sys.executable, "-m", "beistand_lab.doors", lab.settings.name]
        group = control_groups.group_name(lab.settings.name)
        commands.start(python, group=group, log=lab.settings.folder / "doors.log")
        commands.wait_for(file.exists, 20, "the doors to the pages")
    ports: dict[str, int] = json.loads(file.read_text())
    return {host: f"https://{NAMES[host]}:{port}/" for host, port in ports.items()}


def setup_code(lab: Lab, host: str) -> str:
    """Make a one-time code at the console of an appliance; an earlier one is void."""
    answer = json.loads(lab.sh(host, ["beistand", "setup-code", "--json"]).stdout)
    return str(answer["code"])


def how_to_look(lab: Lab) -> str:
    """Return what a person needs to see the pages: addresses, and a code for each appliance that is on."""
    lines = []
    for host, url in open_doors(lab).items():
        if lab.is_on(host):
            lines.append(f"  {url:<26} pages of pbx-{host}; {_told_code(lab, host)}")
        else:
            lines.append(f"  {url:<26} pages of pbx-{host}, which is off")
    lines.append("  a browser warns once: the certificates are the appliances' own")
    lines.append(
        f"  from another machine: ssh -L {FIRST_PORT}:localhost:{FIRST_PORT} and so on, then the same addresses"
    )
    return "\n".join(lines)


def _told_code(lab: Lab, host: str) -> str:
    try:
        return f"setup code {setup_code(lab, host)}"
    except LabError:
        return f"no setup code: beistand-lab --name {lab.settings.name} sh {host} systemctl status beistand-agent"


def main() -> None:
    settings = load(sys.argv[1])
    ports = {}
    for host, wanted in zip(APPLIANCES, range(FIRST_PORT, FIRST_PORT + 2), strict=True):
        door = _listening(wanted)
        ports[host] = door.getsockname()[1]
        Thread(target=_keep, args=(door, settings, settings.address(host))).start()
    beside = _file(settings).with_suffix(".new")
    beside.write_text(json.dumps(ports))
    beside.rename(_file(settings))


def _file(settings: Settings) -> Path:
    return settings.folder / "doors.json"


def _listening(port: int) -> socket.socket:
    """Listen on this port, or on any that is free."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        return socket.create_server(("127.0.0.1", 0))


def _keep(door: socket.socket, settings: Settings, address: str) -> None:
    while True:
        outside, _ = door.accept()
        Thread(target=_carry, args=(outside, settings, address), daemon=True).start()


def _carry(outside: socket.socket, settings: Settings, address: str) -> None:
    with outside, contextlib.suppress(OSError, LabError):
        inside = network.open_socket(settings.namespace("m"), socket.AF_INET, socket.SOCK_STREAM)
        with inside:
            inside.settimeout(CONNECT_SECONDS)
            inside.connect((address, PAGES))
            inside.settimeout(None)
            back = Thread(target=_pump, args=(inside, outside), daemon=True)
            back.start()
            _pump(outside, inside)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main()
