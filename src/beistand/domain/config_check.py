"""Whether a module configuration may be saved: what the types cannot say."""

import re
from ipaddress import AddressValueError, IPv4Address

from beistand.domain.config import ModuleConfig
from beistand.domain.licence import is_key
from beistand.domain.message import Message, message
from beistand.domain.schedule import Schedule

MAIL_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+")
"""Exactly one address (S9); whether it exists, only a mail can tell."""


def config_problem(config: ModuleConfig) -> Message | None:
    """Return what is wrong with the first field that is, None if it may be saved."""
    if not config.name.strip():
        return message("config-name-missing")
    if config.licence_key and not is_key(config.licence_key):
        return message("licence-key-form", key=config.licence_key)
    if config.mail_address and not MAIL_ADDRESS.fullmatch(config.mail_address):
        return message("mail-address-form", address=config.mail_address)
    if config.send_mail and not config.mail_address:
        return message("mail-address-missing")
    if config.standby.server and not _is_address(config.standby.server):
        return message("standby-server-form", server=config.standby.server)
    for schedule in (config.schedule, config.backup_schedule):
        if schedule and schedule_problem(schedule):
            return schedule_problem(schedule)
    return None


def schedule_problem(schedule: Schedule) -> Message | None:
    """Return what is wrong with a schedule: a year that nobody means is a slip of the finger."""
    if 2000 <= schedule.start.year <= 2999:
        return None
    return message("schedule-start-form", start=schedule.start.isoformat())


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True
