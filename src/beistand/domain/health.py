"""What an administrator should know while all is well: prerequisites (S4) and the age of the copy (B3).

BLOCK refuses pairing and imports until it is cured; WARN is shown and told; both go away by themselves.
"""

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from functools import partial
from ipaddress import IPv4Interface

from beistand.domain.alarm import where_it_stays
from beistand.domain.attempts import WAIT_BETWEEN_TRIES
from beistand.domain.clocks import LARGEST_SKEW
from beistand.domain.config import ModuleConfig
from beistand.domain.finding import Finding, Severity
from beistand.domain.generation import Copy
from beistand.domain.judging import Judging
from beistand.domain.message import Field
from beistand.domain.pair import Appliance
from beistand.domain.schedule import Schedule, next_run
from beistand.domain.start_options import brings_in_others

SHOWN_LINES = 4
Rule = Callable[[Appliance, Appliance], Finding | None]


def prerequisites(mine: Appliance, theirs: Appliance, judging: Judging | None = None) -> tuple[Finding, ...]:
    """Return what hinders these two from being a good pair, the worst first; both seen at the same time.

    A rule that fails blocks as the worst of them would: without `judging` it is among what is returned, else in its
    `failed`.
    """
    judged = judging or Judging()
    found = [each for rule in RULES for each in judged.rule("prerequisites", partial(rule, mine, theirs))]
    found += [] if judging else judged.failed
    return tuple(sorted(found, key=lambda each: each.severity is not Severity.BLOCK))


def pbx_version_differs(mine: Appliance, theirs: Appliance) -> Finding | None:
    """Data of one version need not start under another."""
    if mine.pbx_version == theirs.pbx_version:
        return None
    return _block("pbx-versions-differ", mine=mine.pbx_version, theirs=theirs.pbx_version, peer=theirs.host)


def beistand_version_differs(mine: Appliance, theirs: Appliance) -> Finding | None:
    """Both are updated together; the channel itself refuses what it cannot speak."""
    if mine.beistand_version == theirs.beistand_version:
        return None
    versions = {"mine": mine.beistand_version, "theirs": theirs.beistand_version}
    return _warn("beistand-versions-differ", **versions, peer=theirs.host)


def profile_differs(mine: Appliance, theirs: Appliance) -> Finding | None:
    if mine.profile == theirs.profile:
        return None
    return _block("profiles-differ", mine=mine.profile, theirs=theirs.profile, peer=theirs.host)


def subnet_differs(mine: Appliance, theirs: Appliance) -> Finding | None:
    """The service address can move within one layer-2 segment and one subnet only (S1)."""
    here, there = IPv4Interface(mine.own_address).network, IPv4Interface(theirs.own_address).network
    if here == there:
        return None
    return _block("subnets-differ", mine=str(here), theirs=str(there), peer=theirs.host)


def own_addresses_equal(mine: Appliance, theirs: Appliance) -> Finding | None:
    address = _ip(mine)
    return _block("own-addresses-equal", address=address) if address == _ip(theirs) else None


def own_address_not_static(mine: Appliance, theirs: Appliance) -> Finding | None:
    """A leased address may change, and the other one would look for us in vain."""
    leased = next((each for each in (mine, theirs) if not each.is_static), None)
    return _warn("own-address-not-static", host=leased.host, address=_ip(leased)) if leased else None


def service_address_is_own(mine: Appliance, theirs: Appliance) -> Finding | None:
    """The service address moves, an own address never does."""
    own = {_ip(mine): mine.host, _ip(theirs): theirs.host}
    for address in (*mine.service_addresses, *theirs.service_addresses):
        if address in own:
            return _block("service-address-is-own-address", address=address, host=own[address])
    return None


def service_addresses_differ(mine: Appliance, theirs: Appliance) -> Finding | None:
    if set(mine.service_addresses) == set(theirs.service_addresses):
        return None
    here, there = ", ".join(mine.service_addresses), ", ".join(theirs.service_addresses)
    return _block("service-addresses-differ", mine=here, theirs=there, peer=theirs.host)


def gateway_differs(mine: Appliance, theirs: Appliance) -> Finding | None:
    if mine.gateway == theirs.gateway:
        return None
    return _warn("gateways-differ", mine=mine.gateway or "-", theirs=theirs.gateway or "-", peer=theirs.host)


def dns_differs(mine: Appliance, theirs: Appliance) -> Finding | None:
    """The order counts: the first server is the one that is asked."""
    if mine.dns == theirs.dns:
        return None
    here, there = ", ".join(mine.dns) or "-", ", ".join(theirs.dns) or "-"
    return _warn("dns-differs", mine=here, theirs=there, peer=theirs.host)


def vlan_differs(mine: Appliance, theirs: Appliance) -> Finding | None:
    """The service address moves from one interface to the other: in another VLAN no phone would find it."""
    if mine.vlan == theirs.vlan:
        return None
    return _warn("vlans-differ", mine=mine.vlan or "-", theirs=theirs.vlan or "-", peer=theirs.host)


def time_servers_differ(mine: Appliance, theirs: Appliance) -> Finding | None:
    """Without any on one side, its clock may run away; the order does not count."""
    if set(mine.time_servers) == set(theirs.time_servers):
        return None
    here, there = ", ".join(mine.time_servers) or "-", ", ".join(theirs.time_servers) or "-"
    return _warn("time-servers-differ", mine=here, theirs=there, peer=theirs.host)


def one_dns_server(mine: Appliance, theirs: Appliance) -> Finding | None:
    """On the day it may be the machine that fails: trunks and the mail server are often known by name."""
    servers = {*mine.dns, *theirs.dns}
    return _info("one-dns-server", server=next(iter(servers))) if len(servers) == 1 else None


def few_time_servers(mine: Appliance, theirs: Appliance) -> Finding | None:
    """Of one that is wrong nobody notices it, and without any the age of the data is guessed (F9)."""
    servers = {*mine.time_servers, *theirs.time_servers}
    if not servers:
        return _info("no-time-server")
    return _info("one-time-server", server=next(iter(servers))) if len(servers) == 1 else None


def clocks_differ(mine: Appliance, theirs: Appliance) -> Finding | None:
    skew = abs(mine.now - theirs.now)
    return (
        _warn("clocks-differ", skew=skew.total_seconds(), peer=theirs.host) if skew > LARGEST_SKEW else None
    )


def start_options_differ(mine: Appliance, theirs: Appliance) -> Finding | None:
    """What root reads when a PBX starts does not travel: whoever broke into one PBX must not be root on the other."""
    here, there = set(mine.start_options), set(theirs.start_options)
    if here == there:
        return None
    fields = {"mine": listed_lines(here - there), "theirs": listed_lines(there - here)}
    return _warn("start-options-differ", **fields, peer=theirs.host)


def start_options_bring_in(mine: Appliance, theirs: Appliance) -> Finding | None:
    """A file that is included there travels, and root would read it all the same."""
    for each in (mine, theirs):
        if line := brings_in_others(each.start_options):
            return _warn("start-options-bring-in", line=line, host=each.host)
    return None


def licence_key_missing(mine: Appliance, theirs: Appliance) -> Finding | None:
    without = next((each for each in (mine, theirs) if not each.licence_key), None)
    return _warn("licence-key-missing", host=without.host) if without else None


def licence_keys_equal(mine: Appliance, theirs: Appliance) -> Finding | None:
    """The two sets never mix (S5): a key on both sides means that an identity was copied."""
    if not mine.licence_key or mine.licence_key != theirs.licence_key:
        return None
    return _block("licence-keys-equal", key=mine.licence_key)


ADVICE: tuple[Rule, ...] = (one_dns_server, few_time_servers)
"""What stands in the table of prerequisites only: it hinders nothing while all is well."""
RULES: tuple[Rule, ...] = (
    pbx_version_differs,
    beistand_version_differs,
    profile_differs,
    subnet_differs,
    own_addresses_equal,
    own_address_not_static,
    service_address_is_own,
    service_addresses_differ,
    gateway_differs,
    dns_differs,
    vlan_differs,
    time_servers_differ,
    clocks_differ,
    start_options_differ,
    start_options_bring_in,
    licence_key_missing,
    licence_keys_equal,
)


def copy_findings(
    config: ModuleConfig,
    usable: Copy | None,
    now: datetime,
    since: datetime,
    zone: tzinfo,
    newest: Copy | None = None,
) -> tuple[Finding, ...]:
    """Return what is wrong with the age of what a takeover would serve, and how far anything newer came (B3).

    `usable` is imported or better, `now` what the clock shows that dated it; `since` is when the two were paired:
    without a copy nobody promised anything before. `newest` is the newest generation, however far it came.
    """
    findings = [_schedule_rests(config)]
    if usable is None:
        findings.append(_warn("copy-missing", paired=max(0.0, (now - since).total_seconds())))
        if _stale(config, since, now, zone):
            findings.append(where_it_stays(newest, usable))
    else:
        begin = usable.generation.begin
        if stale := _stale(config, begin, now, zone):
            findings += [stale, where_it_stays(newest, usable)]
        if begin - now > LARGEST_SKEW:
            findings.append(_warn("copy-from-the-future", ahead=(begin - now).total_seconds()))
    return tuple(each for each in findings if each)


def promised_until(schedule: Schedule, attempts: int, begin: datetime, zone: tzinfo) -> datetime:
    """Return until when a copy taken at this moment is as young as promised: two runs later, all tries used."""
    second = next_run(schedule, next_run(schedule, begin, zone), zone)
    return second + attempts * WAIT_BETWEEN_TRIES


def oldest_promised(config: ModuleConfig, begin: datetime, zone: tzinfo) -> timedelta | None:
    """Return how old the schedule lets data that begins at this moment become; None where it promises nothing."""
    if config.schedule is None or not config.active or config.is_removed:
        return None
    return promised_until(config.schedule, config.attempts, begin, zone) - begin


def _stale(config: ModuleConfig, begin: datetime, now: datetime, zone: tzinfo) -> Finding | None:
    oldest = oldest_promised(config, begin, zone)
    if oldest is None or now - begin <= oldest:
        return None
    return _warn("copy-stale", age=(now - begin).total_seconds(), limit=oldest.total_seconds())


def _schedule_rests(config: ModuleConfig) -> Finding | None:
    if config.is_removed:
        return _warn("module-config-missing")
    if not config.active:
        return _warn("module-inactive", name=config.name)
    return None if config.schedule else _warn("schedule-missing")


def _ip(appliance: Appliance) -> str:
    return str(IPv4Interface(appliance.own_address).ip)


def listed_lines(lines: set[str]) -> str:
    """Return the first few of these lines in one sentence; "-": there is none."""
    shown = sorted(lines)
    more = ["…"] if len(shown) > SHOWN_LINES else []
    return " | ".join([*shown[:SHOWN_LINES], *more]) or "-"


def _block(code: str, **fields: Field) -> Finding:
    return Finding(code=code, severity=Severity.BLOCK, fields=fields, acceptable=False)


def _info(code: str, **fields: Field) -> Finding:
    return Finding(code=code, severity=Severity.INFO, fields=fields)


def _warn(code: str, **fields: Field) -> Finding:
    return Finding(code=code, severity=Severity.WARN, fields=fields)
