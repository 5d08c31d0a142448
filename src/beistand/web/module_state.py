"""What the tabs of Module → Redundanz stand on: the configuration, and whether it may be edited here."""

from dataclasses import dataclass

from beistand.domain.config import ModuleConfig
from beistand.domain.licence import LicenceSet
from beistand.domain.licensing import module_problem
from beistand.domain.message import Message, message
from beistand.domain.role import Role
from beistand.protocol import GetConfig, GetLicences, LicencesView, Status
from beistand.web.asking import Request, is_administrator
from beistand.web.zone import local_now


@dataclass(frozen=True, kw_only=True)
class ModuleState:
    """The module as one reader finds it on this appliance."""

    status: Status
    config: ModuleConfig
    unlicensed: Message | None
    """Why the module's licence does not let anybody edit (S6), None if it does."""
    peer_has_licence: bool
    may_act: bool
    """The reader is an administrator."""

    @property
    def is_configured(self) -> bool:
        """S8: there is no configuration on a fresh machine, nor after it was deleted."""
        return self.config.revision > 0 and not self.config.is_removed

    @property
    def is_active(self) -> bool:
        return self.status.role is Role.ACTIVE

    @property
    def runs(self) -> bool:
        """The schedule runs here: never on the standby, however right its configuration is (S17)."""
        return self.is_configured and self.config.active and self.is_active

    @property
    def locked(self) -> Message | None:
        """Why nothing can be edited here, None if it can (S6, S17)."""
        if not self.status.initialised:
            return message("not-initialised")
        if self.status.role is Role.SUPERSEDED:
            return message("web.module.locked-superseded")
        if not self.is_active:
            return message("web.module.locked-standby")
        if self.unlicensed:
            return self.unlicensed
        if not self.may_act:
            return message("web.module.locked-viewer")
        return None


def module_state(request: Request) -> ModuleState:
    """Ask the agent for it. Raises BeistandError."""
    licences, today = request.agent.ask(GetLicences(), LicencesView), local_now().date()
    return ModuleState(
        status=request.agent.status(),
        config=request.agent.ask(GetConfig(), ModuleConfig),
        unlicensed=module_problem(LicenceSet(licences=licences.own), today),
        peer_has_licence=module_problem(LicenceSet(licences=licences.peer), today) is None,
        may_act=is_administrator(request),
    )
