"""S5, S7: keys and sets."""

import secrets

import pytest

from beistand.domain.licence import LicenceKind, LicenceSet, is_key, issue_set, new_key, stand_in_for
from beistand.domain.role import Role


def test_new_keys_have_the_form_and_differ() -> None:
    keys = {new_key(secrets.token_bytes) for _ in range(200)}
    assert len(keys) == 200
    assert all(is_key(each) for each in keys)


@pytest.mark.parametrize(
    "text",
    ["", "AAAAA-AAAAA-AAAAA", "AAAAA-AAAAA-AAAAA-AAAAa", "AAAAA-AAAAA-AAAAA-AAAAA\n", "AAAAAAAAAAAAAAAAAAAA"],
)
def test_other_texts_are_no_keys(text: str) -> None:
    assert not is_key(text)


def test_a_fresh_installation_has_its_own_set() -> None:
    active = issue_set(Role.ACTIVE, secrets.token_bytes)
    assert [each.kind for each in active.licences] == ["server", "user", "module"]
    assert active.server_key == active.licences[0].key
    assert len({each.key for each in active.licences}) == 3


def test_pairing_names_what_each_stands_in_for() -> None:
    active = issue_set(Role.ACTIVE, secrets.token_bytes)
    standby = stand_in_for(issue_set(Role.STANDBY, secrets.token_bytes), active)
    assert [each.counterpart for each in standby.licences] == [each.key for each in active.licences]
    assert not {each.key for each in standby.licences} & {each.key for each in active.licences}


def test_what_the_active_did_not_tell_has_no_counterpart() -> None:
    active = issue_set(Role.ACTIVE, secrets.token_bytes)
    told = LicenceSet(licences=active.licences[:1])
    standby = stand_in_for(issue_set(Role.STANDBY, secrets.token_bytes), told)
    assert [bool(each.counterpart) for each in standby.licences] == [True, False, False]
    assert standby.licences[0].kind is LicenceKind.REDUNDANCY_SERVER
