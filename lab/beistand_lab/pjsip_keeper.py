"""`python -m beistand_lab.pjsip_keeper FOLDER`: a phone of another make, by PJSIP, over UDP, TCP or TLS.

For what the lab's own do not do: it notices at once when its connection ends. How it registers stands in
FOLDER/account.json; it takes every call and speaks its tone. Events go to FOLDER/events.jsonl, commands come by
FOLDER/control.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pjsua2  # type: ignore[import-untyped]  # it has no types

from beistand_lab.commands import open_door
from beistand_lab.pjsip_phone import Account as Settings
from beistand_lab.sip_loop import EventLog

Tell = Callable[..., None]
TURN_MILLISECONDS = 20
TRANSPORTS = {
    "udp": pjsua2.PJSIP_TRANSPORT_UDP,
    "tcp": pjsua2.PJSIP_TRANSPORT_TCP,
    "tls": pjsua2.PJSIP_TRANSPORT_TLS,
}


class Call(pjsua2.Call):  # type: ignore[misc]  # no types, as above
    def __init__(
        self, account: Account, tell: Tell, player: pjsua2.AudioMediaPlayer, identity: int = -1
    ) -> None:
        super().__init__(account, identity)
        self._tell, self._player = tell, player

    def onCallState(self, _parameters: pjsua2.OnCallStateParam) -> None:  # noqa: N802  # its name there
        info = self.getInfo()
        self._tell("call", state=info.stateText, code=info.lastStatusCode, peer=info.remoteUri)

    def onCallMediaState(self, _parameters: pjsua2.OnCallMediaStateParam) -> None:  # noqa: N802
        info = self.getInfo()  # kept by name: what is in it dies with it
        for index, media in enumerate(info.media):
            if media.type == pjsua2.PJMEDIA_TYPE_AUDIO and media.status == pjsua2.PJSUA_CALL_MEDIA_ACTIVE:
                self._player.startTransmit(self.getAudioMedia(index))


class Account(pjsua2.Account):  # type: ignore[misc]  # no types, as above
    def __init__(self, tell: Tell, player: pjsua2.AudioMediaPlayer) -> None:
        super().__init__()
        self._tell, self._player = tell, player
        self._calls: list[Call] = []

    def onRegState(self, parameters: pjsua2.OnRegStateParam) -> None:  # noqa: N802
        self._tell("register", code=parameters.code, active=self.getInfo().regIsActive)

    def onIncomingCall(self, parameters: pjsua2.OnIncomingCallParam) -> None:  # noqa: N802
        call = Call(self, self._tell, self._player, parameters.callId)
        self._calls.append(call)
        self._tell("incoming", peer=call.getInfo().remoteUri)
        answer = pjsua2.CallOpParam()
        answer.statusCode = 200
        call.answer(answer)

    def dial(self, uri: str) -> None:
        call = Call(self, self._tell, self._player)
        self._calls.append(call)
        self._tell("dial", target=uri)
        call.makeCall(uri, pjsua2.CallOpParam(True))


def main() -> None:
    folder = Path(sys.argv[1])
    settings = Settings(**json.loads((folder / "account.json").read_text()))
    log = EventLog(folder / "events.jsonl")

    def tell(what: str, **fields: Any) -> None:
        log.tell(what, **fields)
        log.flush()

    endpoint = pjsua2.Endpoint()
    endpoint.libCreate()
    endpoint.libInit(_program())
    endpoint.transportCreate(TRANSPORTS[settings.transport], _transport(settings))
    endpoint.audDevManager().setNullDev()
    endpoint.libStart()
    player = pjsua2.AudioMediaPlayer()
    player.createPlayer(settings.tone)
    account = Account(tell, player)
    account.create(_account(settings))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        open_door(door, folder / "control")
        door.setblocking(False)
        while True:
            endpoint.libHandleEvents(TURN_MILLISECONDS)
            _obey(door, endpoint, account, settings)


def _obey(door: socket.socket, endpoint: pjsua2.Endpoint, account: Account, settings: Settings) -> None:
    try:
        connection, _ = door.accept()
    except BlockingIOError:
        return
    with connection:
        connection.settimeout(1)
        command = json.loads(connection.recv(65536))
        answer = {}
        try:
            if command["do"] == "dial":
                account.dial(f"sip:{command['target']}@{settings.registrar}")
            elif command["do"] == "hang-up":
                endpoint.hangupAllCalls()
            else:
                answer = {"error": f"it knows no {command['do']}"}
        except pjsua2.Error as error:
            answer = {"error": error.info()}
        connection.send(json.dumps(answer).encode())


def _program() -> pjsua2.EpConfig:
    config = pjsua2.EpConfig()
    config.logConfig.level = config.logConfig.consoleLevel = 0
    # Callbacks come from `libHandleEvents` only: Python's own threads never meet the library's.
    config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly = 0, True
    config.medConfig.noVad = True
    return config


def _transport(settings: Settings) -> pjsua2.TransportConfig:
    config = pjsua2.TransportConfig()
    config.port, config.boundAddress = settings.port, settings.address
    config.tlsConfig.verifyServer = False  # the PBX made its certificate itself
    return config


def _account(settings: Settings) -> pjsua2.AccountConfig:
    number, where = settings.number, f"{settings.registrar}:{settings.registrar_port}"
    config = pjsua2.AccountConfig()
    config.idUri = f"sip:{number}@{settings.registrar}"
    config.regConfig.registrarUri = f"sip:{where};transport={settings.transport}"
    config.regConfig.timeoutSec = settings.interval
    config.sipConfig.authCreds.append(pjsua2.AuthCredInfo("digest", "*", str(number), 0, f"secret{number}"))
    config.sipConfig.proxies.append(f"sip:{where};transport={settings.transport};lr")
    config.mediaConfig.transportConfig.port = settings.rtp_port
    config.mediaConfig.transportConfig.boundAddress = settings.address
    return config


if __name__ == "__main__":
    main()
