"""A SIP phone of the lab: a headless baresip that speaks one tone, and says itself what it lives through."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import socket
import sys
import time
from typing import Any

from beistand_lab import commands, control_groups, network, tones
from beistand_lab.commands import wait_for
from beistand_lab.errors import LabError
from beistand_lab.settings import Settings, rtp_ports

_CONFIG = """\
poll_method epoll
sip_listen {address}:5060
net_interface {address}
call_local_timeout 120
call_max_calls 4
audio_path /usr/share/baresip
audio_player aubridge,player
audio_source aufile,{folder}/tone.wav
audio_alert aubridge,alert
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports {rtp}-{rtp_end}
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PhoneStatus:
    """What a phone reports of itself. Times are epoch seconds, None for what did not happen.

    `call` is `idle`, `incoming`, `outgoing` or `established`; `call_since` is when it became that.
    """

    number: int
    running: bool
    registered: bool
    registered_since: float | None
    call: str
    call_peer: str
    call_since: float | None


class Phone:
    """One phone. Its state is in its folder: every process sees the same."""

    def __init__(self, settings: Settings, number: int) -> None:
        self._settings = settings
        self._folder = settings.phone_folder(number)
        self.number = number
        self.address = settings.phone_address(number)

    def register(
        self, *, transport: str = "udp", interval: int = 60, answer: str = "auto", seconds: float = 20
    ) -> float:
        """Starts the phone anew with its registrar at the service address, and waits until it is registered.

        `transport` is udp or tcp, `interval` in seconds, `answer` auto or manual. Returns when it was registered.
        """
        begin = time.time()
        self.start(transport=transport, interval=interval, answer=answer)
        return self.wait_for_event("REGISTER_OK", begin, seconds)["time"]  # type: ignore[no-any-return]

    def start(self, *, transport: str = "udp", interval: int = 60, answer: str = "auto") -> None:
        """Switches the phone on, off before where it was on; does not wait for a registration."""
        if transport not in ("udp", "tcp") or answer not in ("auto", "manual"):
            raise LabError(f"a phone knows no {transport!r}, {answer!r}", "udp or tcp, auto or manual")
        self.kill()
        self._write_settings(transport, interval, answer)
        module = [sys.executable, "-m", "beistand_lab.phone_keeper"]
        argv = network.inside(self._settings, "t", [*module, str(self._folder), str(self._control_port)])
        control_groups.create(self._group)
        commands.start(argv, group=self._group, log=self._folder / "keeper.log")
        control = self._folder / "control"

        def is_ready() -> bool:
            if not self.is_running():
                raise LabError(f"phone {self.number} died at once", f"see {self._folder}/baresip.log")
            return control.exists()

        wait_for(is_ready, 20, f"phone {self.number}; see {self._folder}")

    def stop(self) -> None:
        """Switches the phone off as a person does: it says good-bye to its registrar."""
        for pid in control_groups.processes(self._group):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not self.is_running(), 10, f"the end of phone {self.number}")
        self.kill()

    def kill(self) -> None:
        """Takes the phone's power away: it says nothing to anybody."""
        control_groups.kill(self._group)
        (self._folder / "control").unlink(missing_ok=True)

    def is_running(self) -> bool:
        return bool(control_groups.processes(self._group))

    def dial(self, target: str | int) -> float:
        """Calls a number; returns when it was dialled. It does not wait for an answer: see `status`."""
        begin = time.time()
        self.command("dial", f"sip:{target}@{self._settings.service_address}")
        return begin

    def answer(self) -> None:
        """Takes an incoming call."""
        self.command("accept")

    def hangup(self) -> None:
        """Ends all calls of the phone; nothing where there is none."""
        # From before the look: the other side may hang up in this very moment.
        while begin := self._in_call_at():
            self.command("hangup")
            self.wait_for_event("CALL_CLOSED", begin, 10)

    def _in_call_at(self) -> float:
        """A moment just before the phone was seen in a call; 0: it is in none."""
        now = time.time()
        return 0.0 if self.status().call == "idle" else now

    def command(self, command: str, parameters: str = "") -> str:
        """A command of baresip's menu; returns what it says, LabError where it refuses or is off."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(10)
                connection.connect(str(self._folder / "control"))
                text = json.dumps({"command": command, "params": parameters, "token": command})
                connection.sendall(text.encode() + b"\n")
                answer = json.loads(connection.makefile().readline())
        except (OSError, ValueError):
            raise LabError(
                f"phone {self.number} is off", f"beistand-lab phone {self.number} register"
            ) from None
        if not answer.get("ok"):
            raise LabError(f"phone {self.number} refuses {command}: {answer.get('data', '')}".strip())
        return str(answer.get("data", ""))

    def events(self, after: float = 0) -> list[dict[str, Any]]:
        """What baresip has told since a time: dictionaries with `time`, `type`, and more by type."""
        try:
            lines = (self._folder / "events.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return []
        events = [json.loads(line) for line in lines if line.endswith("}")]
        return [event for event in events if event["time"] >= after]

    def wait_for_event(self, kind: str, after: float, seconds: float) -> dict[str, Any]:
        """The first event of a type since a time; waits so long for it, else ConditionNotMet."""

        def seen() -> dict[str, Any]:
            return next((event for event in self.events(after) if event["type"] == kind), {})

        return wait_for(seen, seconds, f"{kind} of phone {self.number}")

    def status(self) -> PhoneStatus:
        """What the phone's own reports add up to."""
        running = self.is_running()
        registered: float | None = None
        call, peer, since = "idle", "", None
        for event in self.events() if running else []:
            match event["type"]:
                case "STARTED":
                    registered, call, peer, since = None, "idle", "", None
                case "REGISTER_OK":
                    registered = registered or event["time"]
                case "REGISTER_FAIL" | "UNREGISTERING":
                    registered = None
                case (
                    "CALL_INCOMING"
                    | "CALL_OUTGOING"
                    | "CALL_RINGING"
                    | "CALL_PROGRESS"
                    | "CALL_ESTABLISHED" as kind
                ):
                    now = {"CALL_INCOMING": "incoming", "CALL_ESTABLISHED": "established"}.get(
                        kind, "outgoing"
                    )
                    if now != call:
                        call, since = now, event["time"]
                    peer = event.get("peeruri", peer)
                case "CALL_CLOSED":
                    call, peer, since = "idle", "", event["time"]
        return PhoneStatus(
            number=self.number,
            running=running,
            registered=registered is not None,
            registered_since=registered,
            call=call,
            call_peer=peer,
            call_since=since,
        )

    @property
    def _group(self) -> str:
        return f"{control_groups.group_name(self._settings.name)}/phone-{self.number}"

    @property
    def _control_port(self) -> int:
        return 4000 + self.number

    def _write_settings(self, transport: str, interval: int, answer: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        tones.write_tone(self._folder / "tone.wav", tones.TONES[self.number])
        ports = rtp_ports(self.number)
        config = _CONFIG.format(
            address=self.address,
            folder=self._folder,
            rtp=ports[0],
            rtp_end=ports[-2],
            control=self._control_port,
        )
        (self._folder / "config").write_text(config)
        (self._folder / "contacts").write_text("")
        account = f"<sip:{self.number}@{self._settings.service_address};transport={transport}>"
        login = f"auth_user={self.number};auth_pass=secret{self.number}"
        # mwi=no: baresip's subscription to message lamps may loop against Asterisk.
        text = f"{account};{login};regint={interval};answermode={answer};mwi=no\n"
        (self._folder / "account").write_text(text)
        # Not in the file that baresip reads at its start: it would be registered before anybody listens.
        (self._folder / "accounts").write_text("")
