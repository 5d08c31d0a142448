"""What may keep a takeover from working on the day is told while all is well."""

from typing import Any

import pytest

from beistand.domain.finding import Severity
from beistand.domain.outlook import Hearing, Outlook, outlook_findings

MAC = "02:00:00:00:00:99"


def looked(**changes: Any) -> Outlook:
    values: dict[str, Any] = {"gateway": True, "phones_known": 4, "phones_answering": 4, "has_looked": True}
    return Outlook(**{**values, **changes})


def hearing(lost: int = 0, control: float = 5.0) -> Outlook:
    return Outlook(hearing=Hearing(control_seconds=control, lost=lost))


@pytest.mark.parametrize(
    ("mine", "codes"),
    [
        (None, []),
        (Outlook(), []),
        (looked(), []),
        (looked(phones_answering=0), []),
        (looked(gateway=None, phones_known=0), ["no-witnesses"]),
        (looked(gateway=False, phones_known=0), ["no-witnesses"]),
        (looked(gateway=False), ["gateway-no-witness"]),
        (looked(gateway=None), []),
        (looked(phones_known=0), ["no-phones-known"]),
        (Outlook(rivals=(MAC,)), ["stranger-at-address"]),
        (hearing(), []),
        (hearing(lost=2), []),
        (hearing(lost=3), ["announcements-dropped"]),
        (hearing(lost=3, control=2400), ["announcements-dropped"]),
        (hearing(control=2400), ["broadcasts-lost"]),
    ],
)
def test_what_either_side_sees_both_tell(mine: Outlook | None, codes: list[str]) -> None:
    here = outlook_findings(mine, None, me="pbx-a", peer="pbx-b")
    there = outlook_findings(None, mine, me="pbx-b", peer="pbx-a")
    assert [each.code for each in here] == codes
    assert sorted((each.code, str(each.fields)) for each in here) == sorted(
        (each.code, str(each.fields)) for each in there
    )


def test_a_stranger_that_both_see_is_one_finding_and_a_pressing_one() -> None:
    (found,) = outlook_findings(Outlook(rivals=(MAC,)), Outlook(rivals=(MAC,)), me="a", peer="b")
    assert (found.severity, found.fields["mac"]) == (Severity.BLOCK, MAC)


def test_each_direction_of_the_announcements_is_told_by_its_sender() -> None:
    lost = hearing(lost=3)
    found = outlook_findings(lost, lost, me="a", peer="b")
    assert [(each.fields["host"], each.fields["hearer"]) for each in found] == [("a", "b"), ("b", "a")]
