"""A phone of another make, for what the lab's own do not do: it notices at once when its connection ends.

`python pjsip_phone.py NUMBER ADDRESS REGISTRAR INTERVAL RTP_PORT TONE_FILE EVENTS_FILE` runs until it is killed. It
registers by TCP, takes every call, speaks its tone, and writes a JSON line for each thing that happens to it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import pjsua2

Tell = Callable[..., None]


class Call(pjsua2.Call):
    def __init__(self, account: Account, identity: int, tell: Tell, player: pjsua2.AudioMediaPlayer) -> None:
        super().__init__(account, identity)
        self._tell, self._player = tell, player

    def onCallState(self, _parameters: pjsua2.OnCallStateParam) -> None:  # noqa: N802  # its name there
        self._tell("call", state=self.getInfo().stateText)

    def onCallMediaState(self, _parameters: pjsua2.OnCallMediaStateParam) -> None:  # noqa: N802
        info = self.getInfo()  # kept by name: what is in it dies with it
        for index, media in enumerate(info.media):
            if media.type == pjsua2.PJMEDIA_TYPE_AUDIO and media.status == pjsua2.PJSUA_CALL_MEDIA_ACTIVE:
                self._player.startTransmit(self.getAudioMedia(index))


class Account(pjsua2.Account):
    def __init__(self, tell: Tell, player: pjsua2.AudioMediaPlayer) -> None:
        super().__init__()
        self._tell, self._player = tell, player
        self._calls: list[Call] = []

    def onRegState(self, parameters: pjsua2.OnRegStateParam) -> None:  # noqa: N802
        self._tell("register", code=parameters.code, active=self.getInfo().regIsActive)

    def onIncomingCall(self, parameters: pjsua2.OnIncomingCallParam) -> None:  # noqa: N802
        call = Call(self, parameters.callId, self._tell, self._player)
        self._calls.append(call)
        answer = pjsua2.CallOpParam()
        answer.statusCode = 200
        call.answer(answer)


def main() -> None:
    number, address, registrar, interval, rtp_port, tone, events = sys.argv[1:]
    with open(events, "a", buffering=1) as file:

        def tell(kind: str, **fields: object) -> None:
            file.write(json.dumps({"time": time.time(), "type": kind, **fields}) + "\n")

        endpoint = pjsua2.Endpoint()
        endpoint.libCreate()
        endpoint.libInit(_program())
        transport = pjsua2.TransportConfig()
        transport.port, transport.boundAddress = 5060, address
        endpoint.transportCreate(pjsua2.PJSIP_TRANSPORT_TCP, transport)
        endpoint.audDevManager().setNullDev()
        endpoint.libStart()
        player = pjsua2.AudioMediaPlayer()
        player.createPlayer(tone)
        account = Account(tell, player)
        account.create(_account(number, address, registrar, int(interval), int(rtp_port)))
        while True:
            endpoint.libHandleEvents(50)


def _program() -> pjsua2.EpConfig:
    config = pjsua2.EpConfig()
    config.logConfig.level = config.logConfig.consoleLevel = 0
    # Callbacks come from `libHandleEvents` only: Python's own threads never meet the library's.
    config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly = 0, True
    config.medConfig.noVad = True
    return config


def _account(number: str, address: str, registrar: str, interval: int, rtp_port: int) -> pjsua2.AccountConfig:
    config = pjsua2.AccountConfig()
    config.idUri = f"sip:{number}@{registrar}"
    config.regConfig.registrarUri = f"sip:{registrar};transport=tcp"
    config.regConfig.timeoutSec = interval
    config.sipConfig.authCreds.append(pjsua2.AuthCredInfo("digest", "*", number, 0, f"secret{number}"))
    config.sipConfig.proxies.append(f"sip:{registrar};transport=tcp;lr")
    config.mediaConfig.transportConfig.port = rtp_port
    config.mediaConfig.transportConfig.boundAddress = address
    return config


if __name__ == "__main__":
    main()
