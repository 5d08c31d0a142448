"""What the administrator does: only `beistand`, on the appliances' own command lines."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from beistand_lab.errors import LabError
from beistand_lab.lab import Lab
from beistand_lab.settings import ROOT_PASSWORD


class Administrator:
    """One person with a root shell on both appliances."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def run(
        self,
        host: str,
        *words: str,
        input: str | None = None,  # noqa: A002  # as in subprocess.run
        timeout: float = 120,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        return self.lab.sh(host, ["beistand", *words], input=input, timeout=timeout, check=check)

    def ask(self, host: str, *words: str, timeout: float = 120) -> dict[str, Any]:
        """The answer of a command with --json, whether it did or refused."""
        done = self.run(host, *words, "--json", timeout=timeout, check=False)
        try:
            answer: dict[str, Any] = json.loads(done.stdout or done.stderr)
        except ValueError:
            raise LabError(f"{host}: beistand {' '.join(words)}: {done.stdout} {done.stderr}") from None
        return answer

    def status(self, host: str) -> dict[str, Any]:
        return self.ask(host, "status")

    def copies(self, host: str) -> list[dict[str, Any]]:
        """The last generations and how far they came, newest first."""
        copies: list[dict[str, Any]] = self.ask(host, "generation", "list")["copies"]
        return copies

    def initialise(self) -> None:
        """Both appliances: who they are; on the active the first grant."""
        settings = self.lab.settings
        for host, role in (("a", "--active"), ("b", "--standby")):
            address = f"{settings.address(host)}/24"
            own = ["--interface", "eth0", "--address", address]
            self.run(
                host,
                "init",
                role,
                *own,
                "--service-address",
                settings.service_address,
                "--profile",
                "asterisk",
            )

    def pair(self, *, password: str = ROOT_PASSWORD) -> subprocess.CompletedProcess[str]:
        """On the active, with the fingerprint read off the standby's console."""
        server = self.lab.settings.address("b")
        return self.run(
            "a",
            "pair",
            "--server",
            server,
            "--user",
            "root",
            "--password-stdin",
            "--fingerprint",
            self.fingerprint("b"),
            input=password + "\n",
            check=False,
        )

    def fingerprint(self, host: str) -> str:
        line = self.lab.sh(host, ["ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub"]).stdout
        return line.split()[1]
