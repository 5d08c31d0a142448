"""Licences, network, coverage and logs, as the agent answers for them."""

from functools import partial

from beistand.agent import configuring
from beistand.agent.acts import Acts
from beistand.agent.agent import Agent
from beistand.agent.caller import Caller
from beistand.agent.licensing import Licensing
from beistand.agent.log import is_as_pressing
from beistand.agent.paging import older_than, page
from beistand.agent.prerequisites import network
from beistand.agent.standby_trial import try_standby
from beistand.domain.config import LogLevel
from beistand.domain.errors import Refused
from beistand.domain.message import Message
from beistand.protocol import (
    GetCoverage,
    GetNetwork,
    LogLine,
    LogLines,
    ReadModuleLog,
    RemoveConfig,
    TryStandby,
)


def acts(agent: Agent) -> Acts:
    """Return what is done for each request of this family."""
    return {
        **Licensing(agent).acts(),
        GetNetwork: partial(network, agent),
        TryStandby: partial(try_standby, agent),
        GetCoverage: agent.coverage.answer,
        ReadModuleLog: partial(read_log, agent),
        RemoveConfig: partial(configuring.remove_config, agent),
    }


def read_log(agent: Agent, request: ReadModuleLog, _caller: Caller) -> LogLines:
    """Return the newest lines that are asked for. Raises Refused `log-level-unknown`."""
    if request.level and request.level not in {each.value for each in LogLevel}:
        raise Refused("log-level-unknown", level=request.level[:40])
    wanted = request.contains.casefold()
    as_told = (
        (place, LogLine(at=each.at, level=each.level, message=Message(code=each.code, fields=each.fields)))
        for place, each in older_than(request.before, agent.wiring.module_log.lines())
        if not request.level or is_as_pressing(each.level, request.level)
    )
    found = (each for each in as_told if wanted in f"{each[1].level} {each[1].message}".casefold())
    lines, older = page(found, request.limit)
    return LogLines(lines=lines, older=older)
