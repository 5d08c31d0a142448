"""The lab as tests, the demo and the command line use it: one object, all of its state in one folder."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from beistand_lab import (
    appliance,
    asterisk_layer,
    commands,
    control_groups,
    disk,
    image,
    mails,
    network,
    network_managers,
)
from beistand_lab import house as houses
from beistand_lab import settings as lab_settings
from beistand_lab.capture import Capture
from beistand_lab.commands import wait_for
from beistand_lab.errors import LabError
from beistand_lab.farm import Farm
from beistand_lab.house import House
from beistand_lab.mails import MAIL_HOST, Mail
from beistand_lab.phone import Phone
from beistand_lab.pjsip_phone import PjsipPhone
from beistand_lab.provider import Provider
from beistand_lab.settings import APPLIANCES, BUILD, HOSTS, LABS, MACHINES, PHONES, Settings
from beistand_lab.sip_probe import SipProbe

__all__ = ["Lab", "wait_for"]

# A file that stands for a disk's last free bytes: see Lab.fill.
_BALLAST = "lab-ballast"
# Whoever else writes meanwhile takes some of what was free a moment ago: measured anew until nothing is.
_FILL = """
import errno, os, sys
folder, ballast, leave = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(ballast, "ab") as file:
    while (free := (seen := os.statvfs(folder)).f_bavail * seen.f_frsize - leave) > 0:
        try:
            os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, free)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
"""


class Lab:
    """Two appliances, three phones, a mail host and a switch.

    Every method may raise LabError. Hosts are `a`, `b` (appliances), `t` (phones), `m` (mail and
    observers) and `sw` (the switch, which is the gateway, too).
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.capture = Capture(settings.capture_file)

    @classmethod
    def named(cls, name: str) -> Lab:
        """A lab that is up, from whichever process."""
        return cls(lab_settings.load(name))

    @classmethod
    def up(  # noqa: PLR0913  # what a lab may differ in
        cls,
        name: str,
        subnet: str = "10.77.0.0/24",
        *,
        plain: bool = False,
        disk_size: str = "1g",
        spool_size: str = "256m",
        manager: str = lab_settings.MANAGERS[0],
        house: House | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> Lab:
        """A lab with both appliances booted; `plain` leaves Beistand out of them, `manager` is one of
        MANAGERS, or a's and b's with a comma between. With a `house` a is furnished with it, and its provider
        and its farm run; nothing is registered yet.

        What is left of a dead lab of the same name is taken away first; a living one is refused.
        """
        sizes = {"disk_size": disk_size, "spool_size": spool_size}
        settings = Settings(name=name, subnet=subnet, plain=plain, manager=manager, **sizes)
        _check_machine()
        if settings.file.exists() and control_groups.processes(control_groups.group_name(name)):
            raise LabError(f"lab {name!r} is up already", f"beistand-lab --name {name} down")
        down(name)
        try:
            return cls._built(settings, house, say)
        except LabError as error:
            logs = [
                line for file in settings.folder.glob("*.log") for line in file.read_text().splitlines()[-1:]
            ]
            down(name)
            raise LabError(" | ".join([str(error), *logs]), error.hint) from None

    @classmethod
    def _built(cls, settings: Settings, house: House | None, say: Callable[[str], None]) -> Lab:
        name = settings.name
        _make_folder(settings)
        control_groups.create(control_groups.group_name(name))
        control_groups.create(f"{control_groups.group_name(name)}/image")
        with image.build_lock(BUILD):
            asterisk = asterisk_layer.layer(BUILD, say)
            golden = image.image(settings, asterisk, BUILD, say)
            is_usual = settings.manager == lab_settings.MANAGERS[0]
            managers = "" if is_usual else str(network_managers.layer(BUILD, say))
        layers = {"asterisk_layer": str(asterisk), "golden_layer": str(golden), "managers_layer": managers}
        settings = dataclasses.replace(settings, **layers)  # type: ignore[arg-type]  # all three are text
        lab = cls(settings)
        lab._build()
        if house:
            lab._furnish(house)
        settings.save()
        return lab

    def _build(self) -> None:
        settings = self.settings
        network.build(settings)
        python = [sys.executable, "-m"]
        recorder = [*python, "beistand_lab.recorder", str(settings.capture_file), network.BRIDGE]
        self._start("sw", recorder, "recorder.log")
        settings.mail_folder.mkdir()
        mail_host = [*python, MAIL_HOST, settings.address("m"), str(settings.mail_folder / "box")]
        self._start("m", mail_host, "mail-host.log")
        wait_for(settings.capture_file.exists, 20, "the recorder")
        for name in APPLIANCES:
            disk.lay_out(settings, name)
            appliance.switch_on(settings, name)
        for name in APPLIANCES:
            appliance.wait_until_up(settings, name)

    def _furnish(self, house: House) -> None:
        """Writes the house onto a, where the PBX starts anew, and switches its phones and trunks on."""
        self.sh("a", ["sh", "-c", houses.make_keys()])
        for path, text in houses.files(house, self.settings.address("m")).items():
            self.copy_in("a", path, text)
        self.sh("a", ["sh", "-c", houses.hand_over()])
        house.save(self.settings)
        self.sh("a", ["systemctl", "try-restart", "asterisk"])
        self.provider().start()
        self.farm().start()

    def down(self) -> None:
        """Takes everything of this lab away; nothing is left behind."""
        down(self.settings.name)

    def on(self, host: str) -> None:
        """Switches an appliance on; returns when its sshd answers."""
        appliance.switch_on(self.settings, host)
        appliance.wait_until_up(self.settings, host)

    def off(self, host: str) -> None:
        """Pulls an appliance's power cord."""
        appliance.switch_off(self.settings, host)

    def is_on(self, host: str) -> bool:
        return appliance.is_on(self.settings, host)

    def cut(self, host: str) -> None:
        """Pulls a host's network cable; its processes live on."""
        network.set_port(self.settings, host, up=False)

    def heal(self, host: str) -> None:
        """Plugs a host's network cable in again."""
        network.set_port(self.settings, host, up=True)

    def split(self, *hosts: str) -> None:
        """Cuts the switch in two: these hosts are on the other side, and everybody keeps the link's light.

        The capture sees the first side, where the gateway is, and from the joining on what crosses.
        """
        network.split(self.settings, hosts)

    def join(self) -> float:
        """Joins the two sides of the switch again; returns the moment just before."""
        return network.join(self.settings)

    def reunite(self, *hosts: str) -> None:
        """Plugs hosts of the other side into the first one again, so that the capture sees all of their frames."""
        network.reunite(self.settings, hosts)

    def command_line(self, host: str, argv: list[str]) -> list[str]:
        """What to execute on this machine to run `argv` as root on a host."""
        if host in MACHINES:
            return appliance.entering(self.settings, host, argv)
        if host not in HOSTS:
            raise LabError(f"there is no host {host!r}", f"hosts are {', '.join(HOSTS)}")
        return network.inside(self.settings, host, argv)

    def set_gratuitous_arp(self, host: str, *, heard: bool) -> None:
        """Whether the host learns from announcements, or from requests directed to it only (FAULTS F25)."""
        value = "0" if heard else "1"
        self.sh(host, ["sysctl", "-qw", f"net.ipv4.conf.eth0.drop_gratuitous_arp={value}"])

    def sh(
        self,
        host: str,
        argv: list[str],
        *,
        input: str | None = None,  # noqa: A002  # as in subprocess.run
        timeout: float = 60,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command on a host that is on, as root; raises LabError when it fails, unless not `check`ed."""
        line = self.command_line(host, argv)
        return commands.run(line, group=self._group(host), input=input, timeout=timeout, check=check)

    def popen(self, host: str, argv: list[str]) -> subprocess.Popen[str]:
        """Starts a command on a host, with pipes; ends with the lab, or with the host's power, at the latest."""
        return commands.popen(self.command_line(host, argv), group=self._group(host))

    def read(self, host: str, path: str) -> bytes:
        """Bytes of a file of an appliance, switched on or off; LabError where there is none."""
        line = appliance.on_the_disk(self.settings, host, ["cat", path])
        done = subprocess.run(line, capture_output=True, check=False)
        if done.returncode != 0:
            raise LabError(f"{host}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def copy_in(self, host: str, path: str, content: bytes | str) -> None:
        """Puts a file onto an appliance, switched on or off; root's, mode 0644 where it is new."""
        data = content.encode() if isinstance(content, str) else content
        line = appliance.on_the_disk(self.settings, host, ["dd", "status=none", f"of={path}"])
        done = subprocess.run(line, input=data, capture_output=True, check=False)
        if done.returncode != 0:
            raise LabError(f"{host}: {done.stderr.decode(errors='replace').strip()}")

    def fill(self, host: str, folder: str = "/", *, leave: int = 0) -> None:
        """Fills the file system of a folder of an appliance, down to so many free bytes; `fill` again
        with other bytes, or `empty` it.
        """
        self.empty(host, folder)
        self.sh(host, ["python3", "-c", _FILL, folder, f"{folder.rstrip('/')}/{_BALLAST}", str(leave)])

    def empty(self, host: str, folder: str = "/") -> None:
        """Takes away what `fill` put there."""
        self.sh(host, ["rm", "-f", f"{folder.rstrip('/')}/{_BALLAST}"])

    def phone(self, number: int) -> Phone:
        if number not in PHONES:
            raise LabError(f"there is no phone {number}", f"phones are {', '.join(map(str, PHONES))}")
        return Phone(self.settings, number)

    def pjsip_phone(self, number: int) -> PjsipPhone:
        """A phone of another make, for one of 101 to 103 or of the house; the other one of the number must be off."""
        return PjsipPhone(self.settings, number)

    def house(self) -> House | None:
        """What a was furnished with."""
        return houses.of(self.settings)

    def farm(self) -> Farm:
        """The house's phones over UDP."""
        house = self.house() or House()
        return Farm(self.settings, house.first, house.phones)

    def provider(self) -> Provider:
        """Where the house's trunks register."""
        return Provider(self.settings, count=max(1, (self.house() or House()).trunks))

    def sip_probe(self, address: str) -> SipProbe:
        """Starts to ask an address over SIP from the mail host, every 20 ms; use it as a context."""
        return SipProbe(self.settings, address)

    def mails(self) -> list[Mail]:
        """What the mail host has received, oldest first."""
        return mails.received(self.settings.mail_folder / "box")

    def hang_mail_host(self, *, hangs: bool = True) -> None:
        """Lets the mail server hang, as one that takes connections and never says a word; or go on."""
        mails.hang(control_groups.processes(self._group()), hangs=hangs)

    def _start(self, host: str, argv: list[str], log: str) -> None:
        line = network.inside(self.settings, host, argv)
        commands.start(line, group=self._group(), log=self.settings.folder / log)

    def _group(self, host: str = "") -> str:
        name = control_groups.group_name(self.settings.name)
        # With the power of an appliance everything that was started in it ends.
        return f"{name}/{host}" if host in MACHINES else name


def down(name: str) -> None:
    """Takes a lab of this name away, whatever state it is in: processes, mounts, namespaces, files."""
    settings = Settings(name=name)
    control_groups.kill(control_groups.group_name(name))
    below = f"{settings.folder}/"
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for target in reversed(mounts):
        if target.startswith(below):
            commands.run(["umount", target])
    if settings.folder.exists():
        shutil.rmtree(settings.folder)
    with contextlib.suppress(OSError):  # other labs are in it
        LABS.rmdir()


def _make_folder(settings: Settings) -> None:
    """The last lab that goes away takes the folder of all labs with it, perhaps in this very moment."""

    def is_made() -> bool:
        with contextlib.suppress(FileNotFoundError):
            settings.folder.mkdir(parents=True)
        return settings.folder.is_dir()

    wait_for(is_made, 10, str(settings.folder))


def _check_machine() -> None:
    if os.geteuid() != 0:
        raise LabError("the lab needs root, for namespaces and mounts", "run it as root")
    tools = {
        "systemd-nspawn": "systemd-container",
        "patchelf": "patchelf",
        "baresip": "baresip-core",
        "nsenter": "util-linux",
        "ip": "iproute2",
        "ssh-keygen": "openssh-client",
        "/usr/sbin/sshd": "openssh-server",
        "/lib/systemd/systemd-networkd": "systemd",
    }
    missing = sorted({package for tool, package in tools.items() if shutil.which(tool) is None})
    if missing:
        raise LabError(
            f"missing Debian packages: {' '.join(missing)}", "packaging/install-packages appliance lab"
        )
    try:
        commands.run(["unshare", "--net", "--mount", "true"])
    except LabError:
        raise LabError(
            "this machine allows no namespaces", "in a container, start it with --privileged"
        ) from None
