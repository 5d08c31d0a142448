"""Talk to systemd: sd_notify(3) over a datagram socket, as it is documented there."""

import os
import socket


def notify(state: str) -> None:
    """Send READY=1, WATCHDOG=1, STOPPING=1 or STATUS=…; do nothing where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        to.connect("\0" + address[1:] if address.startswith("@") else address)
        to.sendall(state.encode())
