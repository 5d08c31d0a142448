"""A connection of the web process, without the socket: what the agent answers whom."""

from dataclasses import dataclass, field
from typing import Any, cast

from beistand.agent.caller import Admitted, Caller
from beistand.domain.account import AccountRole
from beistand.domain.errors import BeistandError
from beistand.domain.value import Value
from beistand.protocol import Authenticate, LogIn, MakeSetupCode, PutAccount, Session, SetupCode, UseSetupCode
from fakes.agents import ROOT, OneOfTwo

WORDS = "korrekt pferd batterie"
ADDRESS = "192.0.2.50"
WEB = Caller(uid=33, user="beistand-web")


@dataclass
class Page:
    """Acts for nobody until it authenticates."""

    one: OneOfTwo
    address: str = ADDRESS
    caller: Caller = field(default=WEB)

    def ask(self, request: Value) -> Any:
        if isinstance(request, Authenticate):
            self.caller = self.caller.as_nobody()
        answer = self.one.ask(request, self.caller)
        if isinstance(answer, Admitted):
            self.caller, answer = answer.caller, answer.view
        return answer

    def code(self, request: Value) -> str:
        """Return the code of what is answered instead; empty when it was done."""
        try:
            self.ask(request)
        except BeistandError as error:
            return error.message.code
        return ""

    def log_in(self, name: str = "anna", password: str = WORDS) -> Session:
        return cast("Session", self.ask(LogIn(name=name, password=password, address=self.address)))

    def act_for(self, session: Session | str, name: str = "", password: str = "") -> "Page":
        token = session if isinstance(session, str) else session.token
        self.ask(Authenticate(token=token, address=self.address, name=name, password=password))
        return self


def settle_in(one: OneOfTwo, name: str = "anna", password: str = WORDS) -> Session:
    """Make the first administrator, as a person does it."""
    code = cast("SetupCode", one.ask(MakeSetupCode(), ROOT)).code
    request = UseSetupCode(code=code, name=name, password=password, address=ADDRESS)
    return cast("Session", one.ask(request, WEB))


def viewer(one: OneOfTwo, name: str = "bert") -> None:
    one.ask(PutAccount(name=name, role=AccountRole.VIEWER, password=WORDS), ROOT)
