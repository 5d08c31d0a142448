"""An appliance's disk: a tmpfs with overlays of this machine's /usr and /etc, and a spool of its own.

Three writable file systems, as on many a real machine: the root, /etc, and /var/spool/asterisk; a
rename between them is refused. The disk survives power cuts, not `down`.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from beistand_lab import commands, control_groups, network_managers
from beistand_lab.settings import Settings

SPOOL = "var/spool/asterisk"
_FOLDERS = (
    *("usr", "etc", "proc", "sys", "dev", "run", "tmp", "root", "home", "srv", "opt", "mnt", "boot"),
    *("var/lib/dpkg", "var/log", "var/spool", "var/cache", "var/tmp", "var/mail", "var/backups"),
)
# Accounts differ between real machines, so they do here: owners travel by name or not at all.
_ASTERISK_UID = {"a": 731, "b": 742}
_PBX_FOLDERS = ("etc/asterisk", "var/lib/asterisk", "var/log/asterisk", "var/cache/asterisk", SPOOL)


def mount_root(disk: Path, lowers: Sequence[Path], group: str, size: str = "1g") -> Path:
    """A tmpfs on `disk` and in it a root: /usr and /etc are overlays over `lowers` (uppermost first)
    and this machine's own, the rest is empty folders.
    """
    disk.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "disk", str(disk)]
    commands.run(mount, group=group)
    root = disk / "root"
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for name in ("bin", "sbin", "lib", "lib64", "lib32"):
        (root / name).symlink_to(f"usr/{name}")
    (root / "var/run").symlink_to("/run")
    for folder in ("tmp", "var/tmp"):
        (root / folder).chmod(0o1777)
    (root / "root").chmod(0o700)
    for top in ("usr", "etc"):
        upper, work = disk / f"{top}-upper", disk / f"{top}-work"
        upper.mkdir()
        work.mkdir()
        below = ":".join(str(layer / top) for layer in lowers if (layer / top).is_dir())
        options = f"lowerdir={below}:/{top},upperdir={upper},workdir={work}"
        commands.run(["mount", "-t", "overlay", top, "-o", options, str(root / top)], group=group)
    return root


def lay_out(settings: Settings, appliance: str) -> None:
    """The disk of one appliance, ready to be switched on."""
    group = control_groups.group_name(settings.name)
    image, asterisk = Path(settings.golden_layer), Path(settings.asterisk_layer)
    layers = [image, asterisk]
    if settings.managers_layer:
        layers.append(Path(settings.managers_layer))
    root = mount_root(settings.root(appliance).parent, layers, group, settings.disk_size)
    spool = root / SPOOL
    spool.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={settings.spool_size},mode=755", "spool", str(spool)]
    commands.run(mount, group=group)
    for source in (asterisk / "opt", asterisk / "var", image / "opt", image / "var"):
        if source.is_dir():
            copy = ["cp", "-a", f"{source}/.", str(root / source.name)]
            commands.run(copy, group=group)
    _identity(settings, appliance, root, group)
    network_managers.configure(settings, appliance, root)
    if appliance == "a":
        shutil.rmtree(root / "etc/asterisk")
        shutil.copytree(Path(__file__).with_name("asterisk"), root / "etc/asterisk")
    # What root reads at a start never travels, and equals on both of a good pair.
    shutil.copy(Path(__file__).with_name("asterisk") / "asterisk.conf", root / "etc/asterisk/asterisk.conf")
    uid = _ASTERISK_UID[appliance]
    folders = " ".join(f"/{folder}" for folder in _PBX_FOLDERS)
    account = (
        f"useradd --system --uid {uid} --user-group --home-dir /var/lib/asterisk --shell /usr/sbin/nologin "
        f"asterisk 2>/dev/null && chown -R asterisk:asterisk {folders} && chmod 750 /etc/asterisk"
    )
    commands.run(["chroot", str(root), "sh", "-c", account], group=group)


def clone(settings: Settings, source: str, target: str) -> Path:
    """The disk of a machine as a copy of another one's, that one on or off; returns its root.

    Everything travels, keys, ids and state among it; what the agent has open is copied as SQLite copies it.
    """
    group = control_groups.group_name(settings.name)
    layers = [Path(settings.golden_layer), Path(settings.asterisk_layer)]
    if settings.managers_layer:
        layers.append(Path(settings.managers_layer))
    origin = settings.root(source)
    root = mount_root(settings.root(target).parent, layers, group, settings.disk_size)
    (root / SPOOL).mkdir(parents=True, exist_ok=True)
    for top in ("etc", "opt", "root", "srv", "home", "var"):
        commands.run(["cp", "-a", f"{origin / top}/.", str(root / top)], group=group)
    state = "var/lib/beistand/state.db"
    for beside in ("", "-wal", "-shm"):
        (root / f"{state}{beside}").unlink(missing_ok=True)
    with closing(sqlite3.connect(origin / state)) as ours, closing(sqlite3.connect(root / state)) as theirs:
        ours.backup(theirs)
    # A package's program in /usr/bin, which the image's layer has only where Beistand was in it.
    if (origin / "usr/bin/beistand").is_symlink() and not (root / "usr/bin/beistand").is_symlink():
        (root / "usr/bin/beistand").symlink_to("/opt/beistand/bin/beistand")
    return root


def _identity(settings: Settings, appliance: str, root: Path, group: str) -> None:
    (root / "etc/hostname").write_text(f"pbx-{appliance}\n")
    # Not empty, else systemd takes this for a first boot and applies presets.
    (root / "etc/machine-id").write_text(settings.machine_id(appliance) + "\n")
    (root / "etc/hosts").write_text(
        f"127.0.0.1 localhost\n{settings.address('a')} pbx-a\n{settings.address('b')} pbx-b\n"
        f"{settings.address('m')} mail\n"
    )
    key = root / "etc/ssh/ssh_host_ed25519_key"
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"root@pbx-{appliance}", "-f", str(key)]
    commands.run(argv, group=group)
