"""What makes the standby itself, looked at from the disk: content, owner and mode of each file."""

from __future__ import annotations

import hashlib
import json

from beistand_lab.lab import Lab

PATTERNS = (
    "/etc/ssh/ssh_host_*",
    "/etc/machine-id",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/systemd/network/*",
    "/etc/beistand/installation.toml",
    "/var/lib/asterisk/licenses/*",
    "/root/.ssh/*",
)
PLANTED_LICENCE = "/var/lib/asterisk/licenses/codec.lic"


def plant_licence(lab: Lab, host: str) -> None:
    """A host-bound licence of the PBX, different on each appliance."""
    lab.sh(host, ["mkdir", "-p", PLANTED_LICENCE.rsplit("/", 1)[0]])
    lab.copy_in(host, PLANTED_LICENCE, f"bound to {host}: {lab.settings.machine_id(host)}\n")


def identity(lab: Lab, host: str) -> dict[str, str]:
    """For each file of the identity, its mode, owner and content as one line."""
    listing = lab.sh(host, ["sh", "-c", f"ls -d {' '.join(PATTERNS)} 2>/dev/null"], check=False).stdout
    seen = {}
    for path in listing.split():
        facts = lab.sh(host, ["stat", "-c", "%a %u %g %F", path]).stdout.strip()
        seen[path] = f"{facts} {hashlib.sha256(lab.read(host, path)).hexdigest()}"
    answer = lab.sh(host, ["beistand", "licence", "list", "--json"], check=False).stdout
    own = json.loads(answer or "{}").get("own", "none")
    return {**seen, "licences of Beistand": json.dumps(own)}
