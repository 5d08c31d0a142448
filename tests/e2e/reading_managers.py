"""The network managers themselves, each in a network of its own: which addresses do these files bring?"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from beistand_lab import commands, image, network_managers
from beistand_lab.settings import BUILD

_ROOM = r"""
set -e
layer=$1 case=$2 room=$3
shift 3
mount -t tmpfs none "$room"
root=$room/root
mkdir -p "$room/usr" "$room/usr-work" "$room/etc" "$room/etc-work" "$root/usr" "$root/etc" "$root/proc" "$root/sys"
mkdir -p "$root/run/network" "$root/dev" "$root/tmp" "$root/root" "$root/var"
for each in bin sbin lib lib64; do ln -s "usr/$each" "$root/$each"; done
mount -t overlay overlay -o "lowerdir=$layer/usr:/usr,upperdir=$room/usr,workdir=$room/usr-work" "$root/usr"
mount -t overlay overlay -o "lowerdir=$layer/etc:/etc,upperdir=$room/etc,workdir=$room/etc-work" "$root/etc"
cp -a "$case/." "$root/"
chmod 755 "$root"
mkdir -p "$root/run/systemd/netif/links" "$root/run/systemd/netif/leases"
chown -R systemd-network: "$root/run/systemd/netif"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
for each in null urandom; do touch "$root/dev/$each"; mount --bind "/dev/$each" "$root/dev/$each"; done
ip link add eth0 type veth peer name p0
ip link set p0 up
ip link set lo up
cd "$root"
timeout --kill-after=1 3 chroot "$root" "$@" >"$room/said" 2>&1 || true
ip -4 -json address show
cat "$room/said" >&2
"""
NETWORKD = """
/lib/systemd/systemd-networkd & pid=$!
for _ in $(seq 50); do
    grep -q -e STATE=unmanaged -e STATE=failed -e IPV4_ADDRESS_STATE=routable /run/systemd/netif/links/3 && break
    sleep 0.02
done 2>/dev/null
sleep 0.1
kill $pid; wait
"""


def layer(*packages: str) -> Path:
    """Return the folder with the managers' programs; fetched once."""
    with image.build_lock(BUILD):
        return network_managers.layer(BUILD, print, packages or network_managers.PACKAGES)


def ifupdown(programs: Path, files: Path, room: Path) -> set[str]:
    """Return the IPv4 addresses that are there after `ifup -a`."""
    return _addresses(programs, files, room, "/sbin/ifup", "-a")


def networkd(programs: Path, files: Path, room: Path) -> set[str]:
    return _addresses(programs, files, room, "sh", "-c", NETWORKD)


def netplan(programs: Path, files: Path, _room: Path) -> set[str]:
    """Return the addresses in what netplan makes of its files."""
    argv = [str(programs / "usr/libexec/netplan/generate"), "--root-dir", str(files)]
    environment = {"LD_LIBRARY_PATH": str(next(programs.glob("usr/lib/*-linux-gnu")))}
    commands.run(argv, check=False, environment=environment)
    made = [*files.glob("run/systemd/network/*"), *files.glob("run/NetworkManager/system-connections/*")]
    said = [line for each in made if each.is_file() for line in each.read_text().splitlines()]
    for each in ("run/systemd", "run/NetworkManager"):
        shutil.rmtree(files / each, ignore_errors=True)
    return {_ip(line) for line in said if line.lower().startswith("address")}


def network_manager(programs: Path, files: Path, _room: Path) -> set[str]:
    """Return the addresses that NetworkManager's own reader finds in its profiles; it writes them anew."""
    environment = {"LD_LIBRARY_PATH": str(next(programs.glob("usr/lib/*-linux-gnu")))}
    argv = [
        str(programs / "usr/bin/nmcli"),
        "--offline",
        "connection",
        "modify",
        "connection.autoconnect",
        "yes",
    ]
    found: set[str] = set()
    for each in files.glob("etc/NetworkManager/system-connections/*"):
        done = subprocess.run(
            argv, input=each.read_bytes(), capture_output=True, env=environment, timeout=10, check=False
        )
        section = done.stdout.decode(errors="replace").partition("[ipv4]")[2].partition("\n[")[0]
        found |= {_ip(line) for line in section.splitlines() if line.startswith("address")}
    return found


def _ip(line: str) -> str:
    return line.partition("=")[2].replace(";", "/").partition("/")[0]


def _addresses(programs: Path, files: Path, room: Path, *argv: str) -> set[str]:
    place = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation", "private"]
    script = ["sh", "-c", _ROOM, "room", str(programs), str(files), str(room)]
    done = subprocess.run([*place, *script, *argv], capture_output=True, text=True, timeout=30, check=True)
    return {
        one["local"]
        for link in json.loads(done.stdout)
        for one in link.get("addr_info", ())
        if "local" in one
    } - {"127.0.0.1"}
