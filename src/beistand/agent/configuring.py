"""The module configuration, as it may be changed on the active (S6, S8, S9, S12, S13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from beistand.agent.access import Access, access_of
from beistand.agent.letters import to_former
from beistand.agent.licensing import today
from beistand.agent.log import log
from beistand.domain.config_check import change_problem, config_problem, tidied
from beistand.domain.errors import Refused
from beistand.domain.licensing import key_problem, module_problem
from beistand.domain.role import Role
from beistand.domain.settings_check import is_step
from beistand.domain.weakening import former_address, weakenings
from beistand.protocol import Done, RemoveConfig, SetConfig

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.agent.caller import Caller
    from beistand.domain.config import ModuleConfig


def set_config(agent: Agent, request: SetConfig, caller: Caller) -> ModuleConfig:
    """Save it; what was removed is there again.

    Raises Refused `configure-on-the-active`, `module-licence-missing`, `licence-key-other`, `change-needs-password`,
    and with what `config_problem` or `change_problem` finds.
    """
    old, wanted = agent.store.config(), tidied(request.config)
    is_rescue = _check_may_edit(agent, caller)
    problem = (
        config_problem(wanted)
        # The key in it is the active's, whose licences are not here.
        or (None if is_rescue else key_problem(wanted, agent.store.licences()))
        or change_problem(old, wanted, agent.node.installation, today(agent))
    )
    if problem:
        raise Refused(problem.code, **problem.fields)
    weaker = weakenings(old, wanted, today(agent))
    if weaker and access_of(caller) < Access.DANGEROUS:
        raise Refused("change-needs-password", change=weaker[0])
    new = _saved(agent, old, msgspec.structs.replace(wanted, is_removed=False), caller)
    log("config-saved", revision=new.revision)
    return new


def remove_config(agent: Agent, _request: RemoveConfig, caller: Caller) -> Done:
    """Delete it: what stands in it rests. Raises Refused as `set_config`, and `module-config-missing`."""
    old = agent.store.config()
    _check_may_edit(agent, caller)
    if old.is_removed:
        raise Refused("module-config-missing")
    new = _saved(agent, old, msgspec.structs.replace(old, is_removed=True, active=False), caller)
    log("config-removed", revision=new.revision)
    return Done()


def _check_may_edit(agent: Agent, caller: Caller) -> bool:
    """Return whether it is edited on the standby of an active that is silent, at its console.

    What a broken-in active pushed can so be taken back; it holds until the active is heard again, as its own counts.
    """
    store = agent.node.store
    if store.pair() is not None and store.standing().role is not Role.ACTIVE:
        if caller.is_at_console and agent.link.current() is None:
            return True
        raise Refused("configure-on-the-active")
    if problem := module_problem(store.licences(), today(agent)):
        raise Refused(problem.code, **problem.fields)
    return False


def _saved(agent: Agent, old: ModuleConfig, wanted: ModuleConfig, caller: Caller) -> ModuleConfig:
    heard = agent.link.last()
    # Above the peer's, too: it may have been changed there last, when that was the active.
    mine, told = agent.store.config().revision, heard.config_revision if heard else 0
    known = max(mine, told if is_step(mine, told) else 0)
    new = msgspec.structs.replace(wanted, revision=known + 1)
    agent.store.set_config(new)
    agent.link.greet_now()
    if former := former_address(old, new):
        # Saved is saved: a full disk keeps this mail back, not the configuration.
        with agent.complaints.about("former-address"):
            agent.postman.enqueue([to_former(agent, former, new, caller.who)])
            agent.postman.soon()
    return new
