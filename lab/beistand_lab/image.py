"""The image that both appliances boot from: accounts, units, sshd, and Beistand as its own installer puts it.

It is made once for each content of Beistand's sources, by running packaging/install in a root that
is laid out like an appliance's, and kept as a layer: what the installer changed, and nothing else.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from beistand_lab import commands, control_groups, disk
from beistand_lab.settings import LABS, PROJECT, ROOT_PASSWORD, Settings

Say = Callable[[str], None]
_KEPT_IMAGES = 4
_SOURCES = ("pyproject.toml", "README.md", "src", "packaging")
_ENABLED = ("ssh.service",)
_SSHD = """\
# Of the lab: `beistand pair` logs in as root by password, once. The first line is Debian's.
Include /etc/ssh/sshd_config.d/*.conf
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
UsePAM yes
UseDNS no
AcceptEnv LANG LC_*
Subsystem sftp /usr/lib/openssh/sftp-server
"""


@contextmanager
def build_lock(build: Path) -> Iterator[None]:
    """One lab builds at a time; the others wait and find what it made."""
    build.mkdir(parents=True, exist_ok=True)
    with (build / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def image(settings: Settings, asterisk: Path, build: Path, say: Say) -> Path:
    """The folder with the image's layers; built where the sources have changed since."""
    digest = _digest(asterisk, plain=settings.plain)
    finished = build / f"image-{digest}"
    if not finished.is_dir():
        say("preparing the appliances' image" + ("" if settings.plain else ": installing Beistand"))
        _forget_old_images(build)
        wheels = None if settings.plain else _wheels(build)
        half = build / "half-image"
        _make(settings, asterisk, half, wheels)
        half.rename(finished)
    finished.touch()
    return finished


def _digest(asterisk: Path, *, plain: bool) -> str:
    total = hashlib.sha256(asterisk.name.encode())
    for file in (Path(__file__), Path(disk.__file__)):
        total.update(file.read_bytes())
    for name in () if plain else _SOURCES:
        top = PROJECT / name
        for file in sorted([top] if top.is_file() else top.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                total.update(f"{file.relative_to(PROJECT)} {file.stat().st_mode}".encode())
                total.update(file.read_bytes())
    return total.hexdigest()[:16]


def _wheels(build: Path) -> Path:
    """Beistand and all it needs as wheels: an appliance has no way to a registry."""
    packaging = PROJECT / "packaging"
    locks = b"".join((packaging / each).read_bytes() for each in ("requirements.lock", "build.lock"))
    folder, tools = (
        build / f"{each}-{hashlib.sha256(locks).hexdigest()[:16]}" for each in ("wheels", "build-tools")
    )
    if not folder.is_dir() or not tools.is_dir():
        # What builds is kept, so that a change of the sources needs no registry.
        _pip("install", "--target", str(build / "half-tools"), *_locked(packaging / "build.lock"))
        _pip("download", "--dest", str(build / "half-wheels"), *_locked(packaging / "requirements.lock"))
        for half, whole in (("half-tools", tools), ("half-wheels", folder)):
            shutil.rmtree(whole, ignore_errors=True)
            (build / half).rename(whole)
    for old in folder.glob("beistand-*.whl"):
        old.unlink()
    own = ["--no-build-isolation", "--no-index", "--no-deps", "--wheel-dir", str(folder), str(PROJECT)]
    _pip("wheel", *own, environment={"PYTHONPATH": str(tools)})
    return folder


def _locked(lock: Path) -> list[str]:
    return ["--only-binary", ":all:", "--require-hashes", "-r", str(lock)]


def _pip(command: str, *arguments: str, environment: dict[str, str] | None = None) -> None:
    import os

    argv = [sys.executable, "-m", "pip", command, "--quiet", "--disable-pip-version-check", *arguments]
    commands.run(argv, timeout=600, environment={**os.environ, "LANG": "C.UTF-8", **(environment or {})})


def _make(settings: Settings, asterisk: Path, target: Path, wheels: Path | None) -> None:
    group = control_groups.group_name(settings.name)
    work = settings.folder / "image"
    root = disk.mount_root(work, (asterisk,), group)
    _base(root, group)
    _register(asterisk, root)
    if wheels:
        _install_beistand(settings, root, wheels)
    for top in ("usr", "etc"):
        commands.run(["umount", str(root / top)])
    for source, name in (
        ("usr-upper", "usr"),
        ("etc-upper", "etc"),
        ("root/opt", "opt"),
        ("root/var", "var"),
    ):
        (target / name).mkdir(parents=True)
        commands.run(["cp", "-a", f"{work / source}/.", str(target / name)], group=group)
    (target / "var/run").unlink()
    commands.run(["umount", str(work)])


def _register(layer: Path, root: Path) -> None:
    """Lets the package manager know whose files Asterisk's are, as its package would."""
    info = root / "var/lib/dpkg/info"
    info.mkdir(exist_ok=True)
    files = sorted(f"/{each.relative_to(layer)}" for each in layer.rglob("*"))
    (info / "asterisk.list").write_text("\n".join(files) + "\n")


def _base(root: Path, group: str) -> None:
    """Takes away what makes this machine's /etc this machine's, and what it has enabled."""
    units = root / "etc/systemd/system"
    gone = [
        *units.glob("*.wants"),
        *units.glob("*.requires"),
        *(root / "etc").glob("rc[0-6S].d"),
        *(root / "etc/ssh").glob("ssh_host_*"),
        root / "etc/ssh/sshd_config.d",
        root / "etc/systemd/network",
        root / "etc/crypttab",
        root / "etc/pip.conf",
        units / "default.target",
        root / "usr/sbin/policy-rc.d",
    ]
    for path in gone:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    (units / "default.target").symlink_to("/lib/systemd/system/multi-user.target")
    wants = units / "multi-user.target.wants"
    wants.mkdir(parents=True)
    for unit in _ENABLED:
        (wants / unit).symlink_to(f"/lib/systemd/system/{unit}")
    for name, text in (("fstab", ""), ("resolv.conf", ""), ("ssh/sshd_config", _SSHD), ("machine-id", "")):
        file = root / "etc" / name
        file.unlink(missing_ok=True)
        file.write_text(text)
    shutil.copy2("/var/lib/dpkg/status", root / "var/lib/dpkg/status")
    account = (
        "getent passwd sshd >/dev/null || useradd --system --home /run/sshd --shell /usr/sbin/nologin sshd"
    )
    script = f"{account}; echo root:{ROOT_PASSWORD} | chpasswd"
    commands.run(["chroot", str(root), "sh", "-c", script], group=group)


def _install_beistand(settings: Settings, root: Path, wheels: Path) -> None:
    group = control_groups.group_name(settings.name)
    source = root / "root/beistand"
    shutil.copytree(PROJECT / "packaging", source / "packaging")
    shutil.copytree(wheels, source / "wheels")
    (root / "etc/systemd/system/multi-user.target.wants/asterisk.service").symlink_to(
        "/lib/systemd/system/asterisk.service"
    )
    nspawn = ["systemd-nspawn", "-q", "-D", str(root), "--register=no", "--keep-unit", "--as-pid2", "--pipe"]
    nspawn += ["--private-network", "--resolv-conf=off", "--timezone=off", "-M", f"image-{settings.name}"]
    install = ["/root/beistand/packaging/install", "--wheels", "/root/beistand/wheels"]
    commands.run([*nspawn, *install], group=f"{group}/image", timeout=180)
    shutil.rmtree(source)


def _forget_old_images(build: Path) -> None:
    """Keeps the newest few images, and every one that a lab stands on."""
    for half in build.glob("half-*"):
        shutil.rmtree(half)  # of a build that was killed
    used = set()
    for file in LABS.glob("*/settings.json"):
        with suppress(FileNotFoundError):  # of a lab that has just gone
            used.add(Path(json.loads(file.read_text())["golden_layer"]).name)
    images = sorted(build.glob("image-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in images[_KEPT_IMAGES:]:
        if old.name not in used:
            shutil.rmtree(old)
