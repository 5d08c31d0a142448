"""Nobody pulls the cord before the standby can call every phone: what was acknowledged, and what it has."""

from __future__ import annotations

import datetime as dt
import time

from beistand_lab import contacts
from beistand_lab.demo.administrator import Administrator
from beistand_lab.errors import LabError
from beistand_lab.lab import wait_for
from beistand_lab.settings import PHONES


def missing(administrator: Administrator) -> list[str]:
    """Phones that the active had acknowledged before the newest imported generation began, and that it lacks.

    There must be none (B15). Raises LabError where nothing is imported.
    """
    before = newest_begin(administrator)
    there = contacts.on_the_disk(administrator.lab, "b")
    known = contacts.acknowledged(administrator.lab, before).items()
    return [f"{number} at {contact}" for number, contact in known if there.get(number) != contact]


def newest_begin(administrator: Administrator) -> float:
    """When the newest imported generation began, in epoch seconds."""
    for copy in administrator.copies("b"):
        if copy["state"] == "imported":
            return dt.datetime.fromisoformat(copy["generation"]["begin"]).timestamp()
    raise LabError("pbx-b has imported nothing")


def wait_until_acknowledged(administrator: Administrator, after: float) -> None:
    """Wait until the switch has seen the answer to each phone's registration since then."""
    lab = administrator.lab
    numbers = {str(number) for number in PHONES}
    wait_for(lambda: numbers <= contacts.acknowledged(lab, after=after).keys(), 20, "all registrations")


def are_all_there(administrator: Administrator, young_seconds: float) -> bool:
    """Tell whether the standby has every phone's contact of now, and none of them is due to register soon."""
    lab = administrator.lab
    young = contacts.acknowledged(lab, after=time.time() - young_seconds)
    now = contacts.acknowledged(lab)
    is_young = {str(number) for number in PHONES} <= young.keys()
    return is_young and contacts.on_the_disk(lab, "b") == now
