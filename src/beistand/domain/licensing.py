"""What may be installed where, and what is wrong with the two sets of a pair (S5 to S7, F8)."""

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from beistand.domain.config import ModuleConfig
from beistand.domain.errors import Refused
from beistand.domain.finding import Finding, Severity
from beistand.domain.licence import REDUNDANCY_MODULE, Licence, LicenceKind, LicenceSet
from beistand.domain.message import Message, message
from beistand.domain.role import Role
from beistand.domain.value import Value

SOON = timedelta(days=30)
MODULES = (LicenceKind.MODULE, LicenceKind.REDUNDANCY_MODULE)
SERVERS = (LicenceKind.SERVER, LicenceKind.REDUNDANCY_SERVER)


def is_stand_in(own: LicenceSet, role: Role) -> bool:
    """Tell whether redundancy licences belong on this appliance.

    Its server licence says so, whatever its role is now: after a takeover the stand-in keeps its set.
    """
    for each in own.licences:
        if each.kind in SERVERS:
            return each.is_redundancy
    return role is not Role.ACTIVE


def installed(own: LicenceSet, peer: LicenceSet, licence: Licence, role: Role) -> LicenceSet:
    """Return the set with this licence in it; it takes the place of self-issued ones of its kind.

    There is one server licence: a new one takes the place of the old. Raises Refused `licence-on-both`,
    `licence-installed-already`, `licence-of-other-kind`.
    """
    if peer.with_key(licence.key):
        raise Refused("licence-on-both", key=licence.key)
    if own.with_key(licence.key):
        raise Refused("licence-installed-already", key=licence.key)
    if licence.is_redundancy is not is_stand_in(own, role):
        raise Refused("licence-of-other-kind", key=licence.key, kind=licence.kind)

    def gives_way(each: Licence) -> bool:
        same = each.kind is licence.kind and each.module == licence.module
        return same and (each.is_self_issued or each.kind in SERVERS)

    if licence.is_redundancy and not licence.counterpart:
        licence = msgspec.structs.replace(licence, counterpart=_partner(licence, own, peer))
    kept = tuple(each for each in own.licences if not gives_way(each))
    return LicenceSet(licences=(*kept, licence))


class Fitted(Value, frozen=True, kw_only=True):
    """What became of the grants of a file; what is neither done nor elsewhere was here before."""

    own: LicenceSet
    done: tuple[Licence, ...]
    """Installed here now."""
    elsewhere: tuple[Licence, ...]
    """What belongs to the other appliance: it stays known."""


def fitting(own: LicenceSet, peer: LicenceSet, granted: tuple[Licence, ...], role: Role) -> Fitted:
    """Return the set with everything of a file that belongs here.

    Raises Refused `licence-on-both`, and `licence-installed-already` when something of the file is here
    already and nothing is new.
    """
    done: list[Licence] = []
    last: Refused | None = None
    new = own
    for each in granted:
        try:
            new = installed(new, peer, each, role)
        except Refused as error:
            if error.message.code == "licence-on-both" and each.is_redundancy is is_stand_in(own, role):
                raise
            last = error if error.message.code == "licence-installed-already" else last
        else:
            done.append(each)
    if not done and last is not None:
        raise last
    elsewhere = tuple(each for each in granted if each not in done and not own.with_key(each.key))
    return Fitted(own=new, done=tuple(done), elsewhere=elsewhere)


def removed(own: LicenceSet, key: str) -> LicenceSet:
    """Return the set without this licence. Raises Refused `licence-unknown`, `licence-server-stays`."""
    licence = own.with_key(key)
    if licence is None:
        raise Refused("licence-unknown", key=key)
    if licence.kind in SERVERS:
        raise Refused("licence-server-stays", key=key)
    return LicenceSet(licences=tuple(each for each in own.licences if each.key != key))


def licence_findings(own: LicenceSet, peer: LicenceSet, today: date) -> tuple[Finding, ...]:
    """Return what is wrong with the two sets; the other side's may be empty while it is not known."""
    return (*_of_one(own, today), *_of_both(own, peer))


def module_problem(own: LicenceSet, today: date) -> Message | None:
    """Return why the module configuration must not be edited with these licences (S6)."""
    for each in own.licences:
        if each.kind in MODULES and each.module == REDUNDANCY_MODULE and not each.has_expired(today):
            return None
    return message("module-licence-missing", module=REDUNDANCY_MODULE)


def key_problem(config: ModuleConfig, own: LicenceSet) -> Message | None:
    """Return what is wrong with the key that names the active (S9, F8)."""
    names = active_keys(own)
    if not config.licence_key or not names or config.licence_key in names:
        return None
    return message("licence-key-other", given=config.licence_key, key=names[0])


def active_keys(own: LicenceSet) -> tuple[str, ...]:
    """Return the keys that name the active in the module configuration.

    A stand-in that took over is named by the server licence that it stands in for, and by its own.
    """
    server = next((each for each in own.licences if each.kind in SERVERS), None)
    if server is None:
        return ()
    return tuple(each for each in (server.counterpart, server.key) if each)


def configured_key_finding(config: ModuleConfig, own: LicenceSet, host: str) -> Finding | None:
    """Tell that the module configuration names another appliance than this active one (F8)."""
    names = active_keys(own)
    if not config.licence_key or not names or config.licence_key in names:
        return None
    fields: dict[str, str | int | float | bool] = {
        "configured": config.licence_key,
        "key": names[0],
        "host": host,
    }
    return Finding(code="configured-key-wrong", severity=Severity.WARN, fields=fields)


def _of_one(own: LicenceSet, today: date) -> Iterator[Finding]:
    for each in own.licences:
        if each.expires is None:
            continue
        told: dict[str, str | int | float | bool] = {"key": each.key, "day": each.expires.isoformat()}
        if each.has_expired(today):
            yield Finding(code="licence-expired", severity=Severity.WARN, fields=told)
        elif each.expires - today <= SOON:
            yield Finding(code="licence-expires-soon", severity=Severity.INFO, fields=told)


def _of_both(own: LicenceSet, peer: LicenceSet) -> Iterator[Finding]:
    for each in own.licences:
        if peer.with_key(each.key):
            yield Finding(
                code="licence-on-both", severity=Severity.BLOCK, fields={"key": each.key}, acceptable=False
            )
    if not own.licences or not peer.licences:
        return
    stand_ins = {each.counterpart for each in (*own.licences, *peer.licences) if each.is_redundancy}
    for each in (*own.licences, *peer.licences):
        if not each.is_redundancy and each.key not in stand_ins:
            fields: dict[str, str | int | float | bool] = {"key": each.key, "kind": each.kind.value}
            yield Finding(code="licence-counterpart-missing", severity=Severity.WARN, fields=fields)


def _partner(licence: Licence, own: LicenceSet, peer: LicenceSet) -> str:
    """Return the key that it stands in for: the first of its kind that has nobody yet."""
    plain = licence.kind.value.removeprefix("redundancy-")
    taken = {each.counterpart for each in own.licences if not each.is_self_issued}
    for each in peer.licences:
        if each.kind.value == plain and each.module == licence.module and each.key not in taken:
            return each.key
    return ""
