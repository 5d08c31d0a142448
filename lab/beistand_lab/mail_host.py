"""`python -m beistand_lab.mail_host ADDRESS FOLDER`: the lab's mail server, which keeps what arrives in a Maildir."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

NAME = "mail.lab.example"
PORT = 25


def main() -> None:
    address, folder = sys.argv[1:]
    # A name of its own: asked for none, the server looks itself up in the DNS, which a lab does not have.
    box = Mailbox(Path(folder))
    Controller(box, hostname=address, port=PORT, server_hostname=NAME, ready_timeout=30).start()
    signal.pause()


if __name__ == "__main__":
    main()
