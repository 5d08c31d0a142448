"""Which changes of the module configuration make the pair weaker: they want the password of a person.

A token that somebody lost may look and run things. It must not be enough to leave an appliance without its copy, or
its people without alarms.
"""

from datetime import date, timedelta

from beistand.domain.config import ModuleConfig
from beistand.domain.schedule import Interval, Schedule

PERIODS = {
    Interval.MINUTE: timedelta(minutes=1),
    Interval.HOUR: timedelta(hours=1),
    Interval.DAY: timedelta(days=1),
    Interval.WEEK: timedelta(weeks=1),
    Interval.MONTH: timedelta(days=30),
}
SOON = timedelta(days=1)
"""A schedule may begin tomorrow; one that begins in the year 2999 is none."""


def weakenings(old: ModuleConfig, new: ModuleConfig, today: date) -> tuple[str, ...]:
    """Return what of this change makes the pair weaker; `weakening.CODE` in the catalogue is its word.

    A configuration that somebody deleted protects nothing: whatever comes after it is no weakening.
    """
    if old.is_removed:
        return ()
    found = {
        "inactive": old.active and not new.active,
        "schedule": _is_rarer(old.schedule, new.schedule, today),
        "bandwidth": _is_slower(old.bandwidth_limit, new.bandwidth_limit),
        "standby": bool(old.standby.server) and new.standby.server != old.standby.server,
        "mails-off": old.send_mail and not new.send_mail,
        "mail-address": old.send_mail and bool(old.mail_address) and new.mail_address != old.mail_address,
        "restore-points": new.keep_generations < old.keep_generations,
        "backup-schedule": _is_rarer(old.backup_schedule, new.backup_schedule, today),
        "backups": new.keep_backups < old.keep_backups,
    }
    return tuple(code for code, is_so in found.items() if is_so)


def _is_rarer(old: Schedule | None, new: Schedule | None, today: date) -> bool:
    """Tell whether something runs less often than before, or only from a later day on."""
    if old is None:
        return False
    if new is None or PERIODS[new.interval] * new.every > PERIODS[old.interval] * old.every:
        return True
    return new.start > max(old.start, today + SOON)


def _is_slower(old: int, new: int) -> bool:
    """0 is no limit; one of a byte a second would end every cycle."""
    return new != 0 and (old == 0 or new < old)


def former_address(old: ModuleConfig, new: ModuleConfig) -> str:
    """Return the address that alarms went to and go to no more, empty where nothing of that changed."""
    was = old.mail_address if old.send_mail and not old.is_removed else ""
    now = new.mail_address if new.send_mail and not new.is_removed else ""
    return was if was and was != now else ""
