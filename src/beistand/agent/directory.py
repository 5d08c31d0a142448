"""The people of the telephone system, read now and then."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from beistand.domain.errors import BeistandError
from beistand.domain.finding import Finding, Severity
from beistand.domain.mail_address import is_mail_address
from beistand.domain.mail_reach import address_findings
from beistand.protocol import UserList

if TYPE_CHECKING:
    from beistand.agent.agent import Agent

FRESH_SECONDS = 60.0


class Directory:
    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._lock = Lock()
        self._known: UserList | None = None
        self._read_at = 0.0

    def read(self) -> UserList:
        """Return everybody as they stand in the directory now. Raises Refused `not-initialised`."""
        profile, users = self._agent.node.profile, self._agent.wiring.users
        try:
            known = UserList(users=users.list(profile))
        except BeistandError as error:
            known = UserList(users=(), problem=error.message)
        with self._lock:
            self._known, self._read_at = known, self._agent.clock.monotonic()
        return known

    def known(self) -> UserList:
        """Return everybody as of the last minute."""
        with self._lock:
            known = self._known
            is_fresh = self._agent.clock.monotonic() - self._read_at < FRESH_SECONDS
        return known if known is not None and is_fresh else self.read()

    def findings(self) -> tuple[Finding, ...]:
        """Say before the day which mails will reach nobody, where somebody counts on them."""
        store = self._agent.store
        server, config = store.settings().mail_server, store.config()
        if server.host:
            return address_findings(server, config, self.known().users)
        count = sum(1 for each in self.known().users if is_mail_address(each.address))
        if not count and not config.send_mail:
            return ()
        return (Finding(code="mail-server-missing", severity=Severity.WARN, fields={"users": count}),)
