"""Whether a module configuration may be saved: what the types cannot say."""

from datetime import UTC, date, datetime, timedelta
from ipaddress import AddressValueError, IPv4Address

import msgspec

from beistand.domain.config import ModuleConfig
from beistand.domain.installation import Installation
from beistand.domain.licence import is_key
from beistand.domain.mail_address import is_mail_address
from beistand.domain.message import Message, message
from beistand.domain.schedule import Schedule, next_run
from beistand.domain.words import word_problem

MOMENT = timedelta(microseconds=1)
MOST_STEPS = 500
"""So many runs are looked ahead: more than a year of daily ones."""
MOST_TO_REPLUG = 50
LONGEST_TO_REPLUG = 200


def config_problem(config: ModuleConfig) -> Message | None:
    """Return what is wrong with the first field that is, None if it may be saved."""
    if problem := word_problem(msgspec.structs.replace(config, schedule=None, backup_schedule=None)):
        return problem
    if not config.name.strip():
        return message("config-name-missing")
    if config.licence_key and not is_key(config.licence_key):
        return message("licence-key-form", key=config.licence_key)
    if config.mail_address and not is_mail_address(config.mail_address):
        return message("mail-address-form", address=config.mail_address)
    if config.send_mail and not config.mail_address:
        return message("mail-address-missing")
    if config.standby.server and not _is_address(config.standby.server):
        return message("standby-server-form", server=config.standby.server)
    if len(config.replug) > MOST_TO_REPLUG or any(len(each) > LONGEST_TO_REPLUG for each in config.replug):
        return message("replug-too-long", items=MOST_TO_REPLUG, letters=LONGEST_TO_REPLUG)
    for schedule in (config.schedule, config.backup_schedule):
        if schedule and schedule_problem(schedule):
            return schedule_problem(schedule)
    if config.schedule and config.backup_schedule and schedules_meet(config.schedule, config.backup_schedule):
        return message("schedules-meet")
    return None


def change_problem(
    old: ModuleConfig, new: ModuleConfig, installation: Installation, today: date
) -> Message | None:
    """Return what is wrong with the first change that is, seen from this appliance and this day."""
    # After a takeover it names this very appliance, until redundancy is set up again: that may stay.
    server = new.standby.server if new.standby != old.standby else ""
    if server and server in (installation.own_ip, *(each.address for each in installation.service_addresses)):
        return message("standby-server-own", server=server)
    if server and not installation.in_subnet(server):
        return message("standby-server-outside", server=server, subnet=installation.subnet)
    for before, schedule in ((old.schedule, new.schedule), (old.backup_schedule, new.backup_schedule)):
        # One that runs began in the past; it may stay as it is.
        if schedule and schedule.start < today and (before is None or before.start != schedule.start):
            return message("schedule-start-past", start=schedule.start.isoformat(), today=today.isoformat())
    return None


def tidied(config: ModuleConfig) -> ModuleConfig:
    """Return the configuration without white space around what people typed, and without empty lines."""
    return msgspec.structs.replace(
        config,
        name=config.name.strip(),
        licence_key=config.licence_key.strip().upper(),
        mail_address=config.mail_address.strip(),
        replug=tuple(" ".join(each.split()) for each in config.replug if each.strip()),
    )


def schedules_meet(cycles: Schedule, backups: Schedule) -> bool:
    """Tell whether a cycle and a local backup ever begin at one moment (S12), as far as can be looked ahead.

    Both are local time of one machine, so it does not matter which: no zone with gaps is asked.
    """
    at = max(datetime.combine(each.start, each.at, UTC) for each in (cycles, backups)) - MOMENT
    following = [next_run(each, at, UTC) for each in (cycles, backups)]
    for _ in range(MOST_STEPS):
        if following[0] == following[1]:
            return True
        behind = following.index(min(following))
        following[behind] = next_run((cycles, backups)[behind], max(following) - MOMENT, UTC)
    return False


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
