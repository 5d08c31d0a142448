"""The lab itself: what every other scenario test relies on, with appliances that know nothing of Beistand."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from beistand.adapters.profiles import Profiles
from beistand.domain.confinement import confinement
from beistand_lab import control_groups
from beistand_lab.errors import LabError
from beistand_lab.frames import IpPacket
from beistand_lab.lab import Lab, down, wait_for

pytestmark = pytest.mark.lab

SOON_SECONDS = 60.0
"""Limit for what takes a second or a few on a machine that has nothing else to do."""
_LAB_COMMAND = [sys.executable, "-m", "beistand_lab.main"]


@pytest.fixture(scope="module")
def calling_lab(plain_lab: Lab) -> Lab:
    """A lab whose appliance a holds the service address by hand and serves three registered phones."""
    serve_by_hand(plain_lab)
    for number in (101, 102, 103):
        plain_lab.phone(number).register(seconds=SOON_SECONDS)
    return plain_lab


def serve_by_hand(lab: Lab) -> None:
    """The PBX is confined as an appliance's is: what it does below, it does in there (D6)."""
    profile = Profiles(Path("/nowhere")).load("asterisk")
    lines = "\n".join(("[Service]", *confinement(profile, profile.services[0]), ""))
    lab.sh("a", ["mkdir", "-p", "/etc/systemd/system/asterisk.service.d"])
    lab.copy_in("a", "/etc/systemd/system/asterisk.service.d/confined.conf", lines)
    lab.sh("a", ["systemctl", "daemon-reload"])
    network, service = lab.settings.subnet, lab.settings.service_address
    lab.sh("a", ["ip", "address", "replace", f"{service}/32", "dev", "eth0"])
    route = ["dev", "eth0", "proto", "kernel", "scope", "link", "src", service]
    lab.sh("a", ["ip", "route", "replace", network, *route])
    lab.sh("a", ["systemctl", "start", "asterisk"])
    with lab.sip_probe(service) as probe:
        probe.first_answer(0, SOON_SECONDS)


@contextlib.contextmanager
def call(lab: Lab, number: int, target: str) -> Iterator[float]:
    """An answered call; yields when it was answered."""
    phone = lab.phone(number)
    begin = phone.dial(target)
    try:
        yield phone.wait_for_event("CALL_ESTABLISHED", begin, 20)["time"]
    finally:
        phone.hangup()


def wait_until_in_call(lab: Lab, number: int) -> None:
    # Each phone's report comes by its own way: the caller's may be first.
    phone = lab.phone(number)
    wait_for(lambda: phone.status().call == "established", SOON_SECONDS, f"phone {number} to be in the call")


def wait_for_tone(lab: Lab, tone: int, at: int, begin: float) -> None:
    """Until phone `at` has been sent a second of the tone of phone `tone`, seen at the switch."""

    def heard() -> bool:
        streams = [stream for stream in lab.capture.rtp_streams(begin) if stream.to_phone == at]
        return sum(stream.seconds_of_tones()[tone] for stream in streams) >= 1

    wait_for(heard, 20, f"phone {at} to hear {tone}")


def test_an_appliance_is_booted_by_systemd(plain_lab: Lab) -> None:
    for host in ("a", "b"):
        assert plain_lab.sh(host, ["cat", "/proc/1/comm"]).stdout == "systemd\n"
        state = plain_lab.sh(host, ["systemctl", "is-system-running", "--wait"], check=False).stdout
        assert state == "running\n", plain_lab.sh(host, ["systemctl", "--failed"]).stdout
        assert plain_lab.sh(host, ["hostname"]).stdout == f"pbx-{host}\n"


def test_nobody_holds_the_service_address_at_first_and_the_gateway_answers(plain_lab: Lab) -> None:
    service, gateway = plain_lab.settings.service_address, plain_lab.settings.gateway
    assert plain_lab.sh("m", ["ping", "-c1", "-W1", gateway]).returncode == 0
    for host in ("a", "b"):
        assert service not in plain_lab.sh(host, ["ip", "address"]).stdout
        assert plain_lab.sh(host, ["ping", "-c1", "-W1", gateway]).returncode == 0


def test_root_logs_in_by_password_and_host_keys_differ(plain_lab: Lab) -> None:
    keys = {plain_lab.read(host, "/etc/ssh/ssh_host_ed25519_key.pub") for host in ("a", "b")}
    assert len(keys) == 2
    settings = plain_lab.sh("b", ["sshd", "-T"]).stdout.lower()
    assert "permitrootlogin yes" in settings
    assert "passwordauthentication yes" in settings


def test_a_rename_does_not_cross_the_appliances_file_systems(plain_lab: Lab) -> None:
    script = (
        "import os\nopen('/var/lib/x', 'w').close()\n"
        "for to in ('/etc/x', '/var/spool/asterisk/x'):\n"
        "    try: os.rename('/var/lib/x', to)\n"
        "    except OSError as error: print(error.errno)\n"
    )
    assert plain_lab.sh("a", ["python3", "-c", script]).stdout == "18\n18\n"


def test_an_appliances_network_settings_are_its_own(plain_lab: Lab) -> None:
    switch = "net.ipv4.conf.eth0.promote_secondaries"
    plain_lab.sh("a", ["sysctl", "-qw", f"{switch}=1"])
    plain_lab.sh("b", ["sysctl", "-qw", f"{switch}=0"])
    assert plain_lab.sh("a", ["sysctl", "-n", switch]).stdout == "1\n"
    assert plain_lab.sh("a", ["systemctl", "is-active", "systemd-udevd"], check=False).stdout == "inactive\n"


def test_a_host_can_be_deaf_to_announcements(plain_lab: Lab) -> None:
    plain_lab.set_gratuitous_arp("t", heard=False)
    assert plain_lab.sh("t", ["sysctl", "-n", "net.ipv4.conf.eth0.drop_gratuitous_arp"]).stdout == "1\n"
    plain_lab.set_gratuitous_arp("t", heard=True)


def test_a_disk_can_be_filled_and_emptied(plain_lab: Lab) -> None:
    plain_lab.fill("b", "/var/spool/asterisk")
    write = ["dd", "if=/dev/zero", "of=/var/spool/asterisk/more", "bs=4096", "count=1"]
    assert "No space left" in plain_lab.sh("b", write, check=False).stderr
    plain_lab.empty("b", "/var/spool/asterisk")
    assert plain_lab.sh("b", write).returncode == 0


def test_a_disk_survives_the_power_cord_and_each_boot_has_an_id(plain_lab: Lab) -> None:
    boot_id = plain_lab.sh("b", ["cat", "/proc/sys/kernel/random/boot_id"]).stdout
    for path in ("/etc/kept", "/var/lib/kept", "/var/spool/asterisk/kept", "/usr/local/kept"):
        plain_lab.copy_in("b", path, "kept")
    plain_lab.off("b")
    with pytest.raises(LabError, match="is off"):
        plain_lab.sh("b", ["true"])
    assert plain_lab.read("b", "/etc/kept") == b"kept"
    plain_lab.on("b")
    for path in ("/etc/kept", "/var/lib/kept", "/var/spool/asterisk/kept", "/usr/local/kept"):
        assert plain_lab.read("b", path) == b"kept"
    assert plain_lab.sh("b", ["cat", "/proc/sys/kernel/random/boot_id"]).stdout != boot_id


def test_the_power_cord_lets_no_fin_and_no_rst_out(plain_lab: Lab) -> None:
    own = plain_lab.settings.address("b")
    server = "import socket; s = socket.create_server(('', 7777)); c, _ = s.accept(); c.send(b'x'); c.recv(1)"
    client = f"import socket; s = socket.create_connection(('{own}', 7777)); print(s.recv(1)); s.recv(1)"
    begin = time.time()
    with plain_lab.popen("b", ["python3", "-c", server]):
        wait_for(lambda: ":7777" in plain_lab.sh("b", ["ss", "-ltn"]).stdout, 10, "the server")
        with plain_lab.popen("m", [sys.executable, "-u", "-c", client]) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "b'x'\n"
            plain_lab.off("b")
            os.killpg(other.pid, signal.SIGKILL)
    packets = [packet for packet in plain_lab.capture.ip_packets(begin) if packet.source == own]
    assert any(packet.source_port == 7777 for packet in packets)
    assert not [packet for packet in packets if _ends_a_connection(packet)]
    plain_lab.on("b")


def _ends_a_connection(packet: IpPacket) -> bool:
    return packet.source_port == 7777 and bool(packet.flags & 0b101)


def test_a_cut_cable_takes_the_carrier_and_leaves_the_processes(plain_lab: Lab) -> None:
    plain_lab.cut("b")
    shown = ["ip", "link", "show", "eth0"]
    wait_for(lambda: "NO-CARRIER" in plain_lab.sh("b", shown).stdout, 10, "b to notice")
    assert plain_lab.sh("m", ["ping", "-c1", "-W1", plain_lab.settings.address("b")], check=False).returncode
    plain_lab.heal("b")
    ping = ["ping", "-c1", "-W1", plain_lab.settings.address("b")]
    wait_for(lambda: plain_lab.sh("m", ping, check=False).returncode == 0, 10, "b")


def test_the_capture_counts_bytes_and_claims(plain_lab: Lab) -> None:
    settings = plain_lab.settings
    begin = time.time()
    plain_lab.sh(
        "a", ["sh", "-c", f"head -c 1000000 /dev/zero | timeout 5 ssh-keyscan {settings.address('b')}"]
    )
    end = time.time()

    def passed() -> int:
        return plain_lab.capture.bytes_between(settings.mac("a"), settings.mac("b"), begin, end)

    # The recorder is a process of its own: what has passed is in the capture a moment later.
    wait_for(lambda: passed() > 1_000, 10, "what passed")
    assert passed() < 100_000
    plain_lab.sh("m", ["ip", "neigh", "flush", "dev", "eth0"])
    begin = time.time()
    plain_lab.sh("m", ["ping", "-c1", "-W1", settings.address("a")])

    def claims() -> set[tuple[str, str]]:
        found = plain_lab.capture.arp_claims(settings.address("a"), begin)
        return {(each.mac, each.kind) for each in found}

    assert wait_for(claims, 10, "the claim") == {(settings.mac("a"), "reply")}


def test_a_mail_arrives(plain_lab: Lab) -> None:
    script = (
        "import smtplib, email.message as e\nm = e.EmailMessage()\nm['Subject'] = 'Umschaltung für die Anlage'\n"
        f"m.set_content('Grüße')\ns = smtplib.SMTP('{plain_lab.settings.address('m')}')\n"
        "s.send_message(m, 'beistand@pbx-a', ['admin@lab.example'])\n"
    )
    plain_lab.sh("a", ["python3", "-c", script])
    mail = wait_for(plain_lab.mails, 5, "the mail")[0]
    assert (mail.recipients, mail.subject) == (("admin@lab.example",), "Umschaltung für die Anlage")
    assert "Grüße" in mail.text


def test_phones_hear_each_other(calling_lab: Lab) -> None:
    with call(calling_lab, 101, "102") as answered:
        wait_until_in_call(calling_lab, 102)
        wait_for_tone(calling_lab, 102, at=101, begin=answered)
        wait_for_tone(calling_lab, 101, at=102, begin=answered)


def test_a_phone_registers_over_tcp(calling_lab: Lab) -> None:
    begin = time.time()
    calling_lab.phone(103).register(transport="tcp", seconds=SOON_SECONDS)

    def answered() -> list[str]:
        return [message.to_user for message in calling_lab.capture.registers_answered(begin)]

    wait_for(answered, 10, "the recorder to have written what the phone has heard")
    assert answered() == ["103"]
    calling_lab.phone(103).register(seconds=SOON_SECONDS)


def test_a_voicemail_is_left_and_heard(calling_lab: Lab) -> None:
    with call(calling_lab, 101, "*102") as answered:
        spoken = "phone 101 to speak for a while"
        wait_for(lambda: _seconds_spoken(calling_lab, 101, answered) > 5, 20, spoken)
    box = "/var/spool/asterisk/voicemail/default/102/INBOX"
    wait_for(lambda: "msg0000.wav" in calling_lab.sh("a", ["ls", box], check=False).stdout, 10, "the message")
    for extension in ("*98", "*97"):
        with call(calling_lab, 102, extension) as answered:
            wait_for_tone(calling_lab, 101, at=102, begin=answered)


def _seconds_spoken(lab: Lab, number: int, begin: float) -> float:
    streams = [stream for stream in lab.capture.rtp_streams(begin) if stream.from_phone == number]
    return sum(stream.seconds_of_tones()[number] for stream in streams)


def test_a_forward_rings_the_other_phone(calling_lab: Lab) -> None:
    with call(calling_lab, 102, "*72103"):
        pass
    with call(calling_lab, 101, "102") as answered:
        wait_until_in_call(calling_lab, 103)
        assert calling_lab.phone(102).status().call == "idle"
        wait_for_tone(calling_lab, 103, at=101, begin=answered)
    with call(calling_lab, 102, "*73"):
        pass
    with call(calling_lab, 101, "102"):
        wait_until_in_call(calling_lab, 102)


def test_a_call_leaves_a_record(calling_lab: Lab) -> None:
    with call(calling_lab, 101, "600"):
        pass
    count = ["sqlite3", "/var/log/asterisk/master.db", "select count(*) from cdr where dst = '600'"]
    wait_for(lambda: calling_lab.sh("a", count, check=False).stdout == "1\n", 10, "a call record")


def test_a_lab_beside_it_has_its_own_of_everything(plain_lab: Lab, lab_place: tuple[str, str]) -> None:
    name = f"{lab_place[0]}-beside"
    subnet = lab_place[1].replace("10.1", "10.2", 1)
    try:
        beside = Lab.up(name, subnet, plain=True)
        assert beside.settings.mac("a") != plain_lab.settings.mac("a")
        assert beside.sh("m", ["ping", "-c1", "-W1", plain_lab.settings.address("a")], check=False).returncode
        beside.off("a")
        assert plain_lab.sh("a", ["true"]).returncode == 0
    finally:
        down(name)
    assert plain_lab.sh("b", ["systemctl", "is-active", "ssh"]).stdout == "active\n"
    assert plain_lab.is_on("a")


def traces(name: str) -> list[str]:
    """What of a lab is on this machine: mounts, folders, control groups, processes."""
    mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if f"/{name}/" in line]
    folders = [str(path) for path in Path("/run/beistand-lab").glob(name)]
    group = control_groups.group_name(name)
    groups = [str(top / group) for top in control_groups.hierarchies() if (top / group).exists()]
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    processes = [line for line in shown.splitlines() if f"/{name}/" in line or f"={name}-" in line]
    return [*mounts, *folders, *groups, *processes]


@pytest.mark.parametrize("seconds", [0.15, 0.3, 0.5, 0.7, 1.0, 1.5, 2.5])
def test_down_leaves_nothing_behind_after_a_kill(lab_place: tuple[str, str], seconds: float) -> None:
    name, subnet = f"{lab_place[0]}-killed", lab_place[1].replace("10.1", "10.2", 1)
    up = subprocess.Popen([*_LAB_COMMAND, "--name", name, "--subnet", subnet, "up", "--plain"])
    with contextlib.suppress(subprocess.TimeoutExpired):
        up.wait(seconds)
    up.kill()
    up.wait()
    subprocess.run([*_LAB_COMMAND, "--name", name, "down"], check=True)
    assert traces(name) == []


def test_a_lab_that_is_not_there_is_told_in_one_line() -> None:
    argv = [*_LAB_COMMAND, "--name", "nowhere", "off", "a"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "there is no lab 'nowhere'\nHINT: beistand-lab --name nowhere up\n"
