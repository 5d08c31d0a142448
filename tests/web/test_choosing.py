"""States that wait for a person, on the overview and the takeover page: the choices, and what each recorded."""

import msgspec
import pytest

from beistand.domain.choices import Predicament, choices
from beistand.domain.message import message
from beistand.protocol import GetStatus, PlanTakeover
from web import scenes
from web.choice_values import FORKED
from web.conftest import Start


@pytest.mark.parametrize("page", ["/", "/admin/redundancy/"])
def test_a_fork_shows_both_histories_and_both_ways(start: Start, page: str) -> None:
    browser, _ = start({GetStatus: FORKED, PlanTakeover: message("already-active")})
    body = browser.get(page).content.decode()
    for words in (
        "Calls: 12",
        "Calls: 3",
        "Changed files: 5 (20.5 kB)",
        "Keep serving here",
        "beistand takeover",
    ):
        assert words in body, words
    assert "Voicemail messages: 0" not in body
    assert 'href="/admin/redundancy/"' in body
    assert f'href="https://{scenes.ACTIVE.peer.own_address.partition("/")[0]}:8443/admin/redundancy/"' in body


@pytest.mark.parametrize(
    "state", ["held", "released", "superseded", "unverified", "checking", "active-failed", "recovering"]
)
def test_every_such_state_lists_its_choices(start: Start, state: str) -> None:
    offered = choices(Predicament(state=state))
    status = msgspec.structs.replace(scenes.ACTIVE, state=state, choices=offered)
    browser, _ = start({GetStatus: status})
    body = browser.get("/").content.decode()
    assert "What you can do" in body
    assert body.count("<code>beistand") >= sum(bool(each.command) for each in offered)


def test_where_all_is_well_nothing_is_offered(start: Start) -> None:
    browser, _ = start({GetStatus: scenes.ACTIVE})
    assert "What you can do" not in browser.get("/").content.decode()
