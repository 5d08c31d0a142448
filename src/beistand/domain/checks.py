"""The prerequisites of a pair as a table (S4): what each side has, and what is wrong with it."""

from collections.abc import Callable
from functools import partial

from beistand.domain import health
from beistand.domain.finding import Finding
from beistand.domain.judging import Judging, Tell, plainly
from beistand.domain.outlook import ENOUGH_LOST, Outlook, outlook_findings
from beistand.domain.pair import Appliance
from beistand.domain.value import Value

NOTHING = "-"
YES, NO = "yes", "no"


class Row(Value, frozen=True, kw_only=True):
    code: str
    own: str
    peer: str
    finding: Finding | None = None


Shown = Callable[[Appliance], str]
CHECKS: tuple[tuple[str, Shown, tuple[health.Rule, ...]], ...] = (
    ("pbx-version", lambda each: each.pbx_version, (health.pbx_version_differs,)),
    ("beistand-version", lambda each: each.beistand_version, (health.beistand_version_differs,)),
    ("profile", lambda each: each.profile, (health.profile_differs,)),
    (
        "own-address",
        lambda each: each.own_address,
        (health.subnet_differs, health.own_addresses_equal, health.service_address_is_own),
    ),
    ("static-address", lambda each: YES if each.is_static else NO, (health.own_address_not_static,)),
    (
        "service-address",
        lambda each: ", ".join(each.service_addresses),
        (health.service_addresses_differ,),
    ),
    ("gateway", lambda each: each.gateway, (health.gateway_differs,)),
    ("dns", lambda each: ", ".join(each.dns), (health.dns_differs, health.one_dns_server)),
    ("vlan", lambda each: str(each.vlan or ""), (health.vlan_differs,)),
    (
        "time-servers",
        lambda each: ", ".join(each.time_servers),
        (health.time_servers_differ, health.few_time_servers),
    ),
    (
        "start-options",
        lambda each: health.listed_lines({*each.start_options}),
        (health.start_options_differ, health.start_options_bring_in),
    ),
    ("clock", lambda each: each.now.isoformat(timespec="seconds"), (health.clocks_differ,)),
    (
        "licence-key",
        lambda each: each.licence_key,
        (health.licence_key_missing, health.licence_keys_equal),
    ),
)
"""`check.<code>` in the catalogue names each; texts are as they are in every language, but yes and no."""


def checks(mine: Appliance, theirs: Appliance | None, tell: Tell = plainly) -> tuple[Row, ...]:
    """Return one row for each prerequisite; without a peer there is nothing to compare with.

    A rule that fails is the finding of its row. `tell` as in `Judging`.
    """
    rows = []
    for code, shown, rules in CHECKS:
        judging, other = Judging(tell), theirs or mine
        fitting = rules if theirs else [each for each in rules if each in ALONE]
        found = [
            each for rule in fitting for each in judging.rule("prerequisites", partial(rule, mine, other))
        ]
        found += judging.failed
        rows.append(
            Row(
                code=code,
                own=shown(mine) or NOTHING,
                peer=(shown(theirs) or NOTHING) if theirs else "",
                finding=found[0] if found else None,
            )
        )
    return tuple(rows)


def outlook_rows(mine: Outlook | None, theirs: Outlook | None, me: str, peer: str) -> tuple[Row, ...]:
    """Return what both see of the network around them; `theirs` is None while the peer is silent."""
    found = {each.code: each for each in outlook_findings(mine, theirs, me, peer)}

    def row(code: str, own: str, other: str, *findings: str) -> Row:
        finding = next((found[each] for each in findings if each in found), None)
        return Row(code=code, own=own, peer=other, finding=finding)

    # What one sends the other hears.
    sent, heard = _passes(theirs), _passes(mine)
    return (
        row("witness-gateway", _gateway(mine), _gateway(theirs), "no-witnesses", "gateway-no-witness"),
        row("witness-phones", _phones(mine), _phones(theirs), "no-phones-known"),
        row("rivals", _alone(mine), _alone(theirs), "stranger-at-address"),
        row("announcements", sent, heard, "announcements-dropped", "broadcasts-lost"),
    )


def _gateway(outlook: Outlook | None) -> str:
    if outlook is None or outlook.gateway is None:
        return NOTHING
    return YES if outlook.gateway else NO


def _phones(outlook: Outlook | None) -> str:
    if outlook is None or not outlook.has_looked:
        return NOTHING
    return f"{outlook.phones_answering}/{outlook.phones_known}"


def _alone(outlook: Outlook | None) -> str:
    return NOTHING if outlook is None else ", ".join(outlook.rivals) or YES


def _passes(outlook: Outlook | None) -> str:
    if outlook is None or outlook.hearing is None:
        return NOTHING
    return NO if outlook.hearing.lost >= ENOUGH_LOST else YES


ALONE = (health.own_address_not_static, health.licence_key_missing)
"""What can be said of one appliance."""
