"""S5, S6, S7, F8: what may be installed where, and what is wrong with the two sets."""

from datetime import date
from typing import Any

import msgspec
import pytest

from beistand.domain.config import ModuleConfig
from beistand.domain.errors import Refused
from beistand.domain.licence import Licence, LicenceKind, LicenceSet, issue_set, stand_in_for
from beistand.domain.licence_file import (
    FORMAT,
    Grant,
    LicenceFile,
    known_after,
    read_licence_file,
    signed,
)
from beistand.domain.licensing import (
    active_keys,
    configured_key_finding,
    fitting,
    installed,
    is_stand_in,
    key_problem,
    licence_findings,
    module_problem,
    removed,
)
from beistand.domain.role import Role
from fakes.insight import FakeSignatures

TODAY = date(2026, 3, 1)
KIND = LicenceKind


def key(letter: str) -> str:
    return "-".join([letter * 5] * 4)


def licence(letter: str, kind: LicenceKind, **more: Any) -> Licence:
    return Licence(**{"key": key(letter), "kind": kind, "is_self_issued": False, **more})


def counted(start: int) -> Any:
    numbers = iter(range(start, start + 50))
    return lambda count: bytes([next(numbers)]) * count


ACTIVE = issue_set(Role.ACTIVE, counted(1))
STANDBY = stand_in_for(issue_set(Role.STANDBY, counted(11)), ACTIVE)
NOTHING = LicenceSet()


def code(of: Any, *arguments: Any) -> str:
    with pytest.raises(Refused) as refused:
        of(*arguments)
    return refused.value.message.code


@pytest.mark.parametrize(
    ("own", "role", "expected"),
    [
        (ACTIVE, Role.ACTIVE, False),
        (ACTIVE, Role.SUPERSEDED, False),
        (STANDBY, Role.STANDBY, True),
        (STANDBY, Role.ACTIVE, True),
        (NOTHING, Role.ACTIVE, False),
        (NOTHING, Role.STANDBY, True),
    ],
)
def test_the_server_licence_says_which_set_belongs_here(
    own: LicenceSet, role: Role, *, expected: bool
) -> None:
    assert is_stand_in(own, role) is expected


def test_a_sold_licence_takes_the_place_of_the_self_issued_one() -> None:
    new = installed(ACTIVE, STANDBY, licence("P", KIND.USER, count=25), Role.ACTIVE)
    assert [(each.kind, each.is_self_issued) for each in new.licences] == [
        (KIND.SERVER, True),
        (KIND.MODULE, True),
        (KIND.USER, False),
    ]


def test_users_add_up_and_there_is_one_server() -> None:
    new = ACTIVE
    for letter, kind in (("P", KIND.USER), ("Q", KIND.USER), ("R", KIND.SERVER), ("S", KIND.SERVER)):
        new = installed(new, STANDBY, licence(letter, kind), Role.ACTIVE)
    assert [each.key[0] for each in new.licences if each.kind is KIND.USER] == ["P", "Q"]
    assert new.server_key == key("S")


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (msgspec.structs.replace(STANDBY.licences[0], kind=KIND.SERVER), "licence-on-both"),
        (ACTIVE.licences[1], "licence-installed-already"),
        (licence("P", KIND.REDUNDANCY_USER), "licence-of-other-kind"),
    ],
)
def test_what_must_not_be_installed(new: Licence, expected: str) -> None:
    assert code(installed, ACTIVE, STANDBY, new, Role.ACTIVE) == expected


def test_what_belongs_to_the_other_side_stays_known() -> None:
    granted = (licence("P", KIND.SERVER), licence("Q", KIND.REDUNDANCY_SERVER, counterpart=key("P")))
    here = fitting(ACTIVE, STANDBY, granted, Role.ACTIVE)
    assert ([each.key for each in here.done], [each.key for each in here.elsewhere]) == (
        [key("P")],
        [key("Q")],
    )
    there = fitting(STANDBY, here.own, granted, Role.STANDBY)
    assert [each.key for each in there.done] == [key("Q")]
    assert [each.key for each in there.elsewhere] == [key("P")]
    assert there.own.server_key == key("Q")
    # Read once more, nothing of it is new.
    assert code(fitting, here.own, there.own, granted, Role.ACTIVE) == "licence-installed-already"


def test_a_file_of_the_other_side_only_installs_nothing_and_says_so() -> None:
    granted = (licence("P", KIND.REDUNDANCY_USER), licence("Q", KIND.REDUNDANCY_MODULE))
    fitted = fitting(ACTIVE, STANDBY, granted, Role.ACTIVE)
    assert (fitted.own, fitted.done, fitted.elsewhere) == (ACTIVE, (), granted)


def test_a_redundancy_licence_without_a_name_finds_who_has_nobody_yet() -> None:
    here = installed(ACTIVE, STANDBY, licence("P", KIND.USER), Role.ACTIVE)
    here = installed(here, STANDBY, licence("Q", KIND.USER), Role.ACTIVE)
    there = installed(STANDBY, here, licence("R", KIND.REDUNDANCY_USER), Role.STANDBY)
    there = installed(there, here, licence("S", KIND.REDUNDANCY_USER), Role.STANDBY)
    users = [each.counterpart for each in there.licences if each.kind is KIND.REDUNDANCY_USER]
    assert users == [key("P"), key("Q")]


def test_pairing_anew_leaves_what_was_sold() -> None:
    there = installed(STANDBY, ACTIVE, licence("R", KIND.REDUNDANCY_USER, counterpart=key("P")), Role.STANDBY)
    again = stand_in_for(there, ACTIVE)
    assert again.with_key(key("R")) == there.with_key(key("R"))


def test_the_server_licence_is_never_taken_away() -> None:
    assert code(removed, ACTIVE, ACTIVE.server_key) == "licence-server-stays"
    assert code(removed, ACTIVE, key("P")) == "licence-unknown"
    user = ACTIVE.licences[1].key
    assert removed(ACTIVE, user).with_key(user) is None


EXTRA = LicenceSet(licences=(*ACTIVE.licences, licence("P", KIND.USER)))
TWIN = LicenceSet(licences=(*STANDBY.licences, ACTIVE.licences[1]))
DATED = LicenceSet(licences=(licence("P", KIND.USER, expires=date(2026, 2, 28)),))
LAST_DAY = LicenceSet(licences=(licence("P", KIND.USER, expires=TODAY),))
LATER = LicenceSet(licences=(licence("P", KIND.USER, expires=date(2026, 4, 2)),))


@pytest.mark.parametrize(
    ("own", "peer", "codes"),
    [
        (ACTIVE, STANDBY, []),
        (STANDBY, ACTIVE, []),
        (ACTIVE, NOTHING, []),
        (EXTRA, STANDBY, ["licence-counterpart-missing"]),
        (STANDBY, EXTRA, ["licence-counterpart-missing"]),
        (ACTIVE, TWIN, ["licence-on-both"]),
        (DATED, NOTHING, ["licence-expired"]),
        (LAST_DAY, NOTHING, ["licence-expires-soon"]),
        (LATER, NOTHING, []),
    ],
)
def test_what_is_wrong_with_the_two_sets(own: LicenceSet, peer: LicenceSet, codes: list[str]) -> None:
    assert [each.code for each in licence_findings(own, peer, TODAY)] == codes


def test_the_module_needs_its_licence() -> None:
    without = removed(ACTIVE, ACTIVE.licences[2].key)
    dated = LicenceSet(licences=(licence("P", KIND.MODULE, module="redundancy", expires=date(2026, 2, 1)),))
    other = LicenceSet(licences=(licence("P", KIND.MODULE, module="fax"),))
    assert module_problem(ACTIVE, TODAY) is None
    assert module_problem(STANDBY, TODAY) is None
    for each in (without, dated, other):
        problem = module_problem(each, TODAY)
        assert problem is not None
        assert problem.code == "module-licence-missing"


@pytest.mark.parametrize(
    ("own", "given", "is_right"),
    [
        (ACTIVE, "", True),
        (ACTIVE, ACTIVE.server_key, True),
        (ACTIVE, key("P"), False),
        # The stand-in took over: the configuration may go on naming the one it stands in for.
        (STANDBY, ACTIVE.server_key, True),
        (STANDBY, STANDBY.server_key, True),
        (STANDBY, key("P"), False),
        (NOTHING, key("P"), True),
    ],
)
def test_the_configured_key_names_the_active(own: LicenceSet, given: str, *, is_right: bool) -> None:
    config = ModuleConfig(licence_key=given)
    assert (key_problem(config, own) is None) is is_right
    assert (configured_key_finding(config, own, "pbx-a") is None) is is_right


def test_a_refused_key_says_which_is_right() -> None:
    problem = key_problem(ModuleConfig(licence_key=key("P")), STANDBY)
    assert problem is not None
    assert problem.fields == {"given": key("P"), "key": active_keys(STANDBY)[0]}


# --- licence files ------------------------------------------------------------------------------

SIGNATURES = FakeSignatures()
PRIVATE, PUBLIC = SIGNATURES.new_pair()
SELLERS = {"acme": PUBLIC}
GRANTS = (
    Grant(key=key("P"), kind=KIND.SERVER, holder="Praxis"),
    Grant(key=key("Q"), kind=KIND.USER, count=25),
)


def a_file(grants: tuple[Grant, ...] = GRANTS, seller: str = "acme") -> str:
    return signed(seller, grants, lambda text: SIGNATURES.sign(PRIVATE, text)).decode()


def read(text: str) -> tuple[Licence, ...]:
    return read_licence_file(text, SELLERS, SIGNATURES.is_signed)


def test_a_file_grants_what_was_signed() -> None:
    granted = read(a_file())
    assert [(each.key, each.holder, each.count, each.seller) for each in granted] == [
        (key("P"), "Praxis", 0, "acme"),
        (key("Q"), "", 25, "acme"),
    ]
    assert not any(each.is_self_issued for each in granted)
    # White space that a mail program changed is no change of what was signed.
    assert read(a_file().replace("\n", "\r\n")) == granted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "licence-file-form"),
        ("[]", "licence-file-form"),
        ("x" * 600_000, "licence-file-form"),
        (a_file().replace(FORMAT, "beistand-licences-9"), "licence-file-form"),
        (a_file().replace('"count": 25', '"count": 25, "more": 1'), "licence-file-form"),
        (a_file().replace('"count": 25', '"count": 26'), "licence-signature-wrong"),
        (a_file().replace(key("P"), key("R")), "licence-signature-wrong"),
        (a_file().replace("Praxis", "Kanzlei"), "licence-signature-wrong"),
        (a_file().replace('"signature": "', '"signature": "!'), "licence-signature-wrong"),
        (a_file(seller="other"), "licence-seller-unknown"),
    ],
)
def test_a_file_that_is_not_what_was_signed_is_refused(text: str, expected: str) -> None:
    assert code(read, text) == expected


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ((), "licence-file-form"),
        ((Grant(key="AAAA", kind=KIND.USER),), "licence-key-form"),
        ((Grant(key="", kind=KIND.USER),), "licence-key-form"),
        ((Grant(key=key("P"), kind=KIND.REDUNDANCY_USER, counterpart="x"),), "licence-key-form"),
        ((GRANTS[0], GRANTS[0]), "licence-twice-in-file"),
    ],
)
def test_a_seller_cannot_sign_what_no_appliance_takes(grants: tuple[Grant, ...], expected: str) -> None:
    assert code(a_file, grants) == expected
    # Nor does it help to sign it with another program.
    file = LicenceFile(format=FORMAT, seller="acme", licences=grants)
    assert code(read, msgspec.json.encode(_signed_anyway(file)).decode()) == expected


def _signed_anyway(file: LicenceFile) -> LicenceFile:
    import base64

    from beistand.domain.licence_file import signed_bytes

    signature = base64.b64encode(SIGNATURES.sign(PRIVATE, signed_bytes(file))).decode()
    return msgspec.structs.replace(file, signature=signature)


def test_the_newer_file_says_what_a_key_grants() -> None:
    first = read(a_file())
    second = read(a_file((Grant(key=key("Q"), kind=KIND.USER, count=50),)))
    known = known_after(known_after(NOTHING, first), second)
    assert [(each.key, each.count) for each in known.licences] == [(key("P"), 0), (key("Q"), 50)]
