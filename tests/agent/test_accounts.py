"""Accounts, sessions, tokens and the one-time code, as the agent keeps them; guessing (F17)."""

from dataclasses import replace
from pathlib import Path
from typing import cast

import msgspec
import pytest

from beistand.agent.known_places import KnownPlaces
from beistand.agent.recent_proofs import PROOF_SECONDS, RecentProofs
from beistand.agent.throttle import DELAY_SECONDS, LONGEST_DELAY, MOST_SUBJECTS, MOST_TRIES, Throttle
from beistand.domain.account import AccountRole
from beistand.domain.errors import NoSpace, Refused
from beistand.domain.places import is_known
from beistand.protocol import (
    AccountList,
    Authenticate,
    CancelJob,
    ChangePassword,
    GetMail,
    GetStatus,
    ListAccounts,
    LogIn,
    LogOut,
    MakeSetupCode,
    MakeToken,
    NewToken,
    PutAccount,
    RemoveAccount,
    RemoveToken,
    RetryService,
    SetupCode,
    StartTakeover,
    UseSetupCode,
)
from fakes.agents import OneOfTwo, TwoAgents
from fakes.pages import ADDRESS, WORDS, Page, settle_in, viewer

ADMINISTRATOR, VIEWER = AccountRole.ADMINISTRATOR, AccountRole.VIEWER
OTHER_WORDS = "vier kleine ziegen"
MINUTE, HOUR = 60.0, 3600.0
LOOK = LogOut()


def use(code: str, name: str = "anna", password: str = WORDS) -> UseSetupCode:
    return UseSetupCode(code=code, name=name, password=password, address=ADDRESS)


def new_code(one: OneOfTwo) -> str:
    return cast("SetupCode", one.ask(MakeSetupCode())).code


def is_logged_in(page: Page) -> bool:
    return page.code(CancelJob(id="none")) == "job-not-running"


# --- the one-time code ---------------------------------------------------------------------------


def test_the_first_administrator_comes_by_the_code_from_the_console(two: TwoAgents) -> None:
    assert not two.a.ask(GetStatus()).has_administrator
    session = settle_in(two.a)
    assert session.account.role is ADMINISTRATOR
    assert two.a.ask(GetStatus()).has_administrator
    assert is_logged_in(Page(two.a).act_for(session))
    assert is_logged_in(Page(two.a).act_for(Page(two.a).log_in()))


def test_the_code_works_once(two: TwoAgents) -> None:
    page, code = Page(two.a), new_code(two.a)
    assert page.code(use(code)) == ""
    assert page.code(use(code, "carl")) == "setup-code-wrong"


@pytest.mark.parametrize("typed", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code} "])
def test_the_code_is_typed_as_people_type(two: TwoAgents, typed) -> None:
    assert Page(two.a).code(use(typed(new_code(two.a)))) == ""


def test_the_code_ends_after_an_hour(two: TwoAgents) -> None:
    code = new_code(two.a)
    two.clock.advance(HOUR)
    assert Page(two.a).code(use(code)) == "setup-code-wrong"


def test_a_new_code_ends_the_one_before(two: TwoAgents) -> None:
    before, code = new_code(two.a), new_code(two.a)
    assert Page(two.a).code(use(before)) == "setup-code-wrong"
    assert Page(two.a).code(use(code)) == ""


def test_without_any_code_none_is_right(two: TwoAgents) -> None:
    assert Page(two.a).code(use("")) == "setup-code-wrong"


def test_what_was_mistyped_beside_it_does_not_use_the_code_up(two: TwoAgents) -> None:
    page, code = Page(two.a), new_code(two.a)
    assert page.code(use(code, password="short")) == "password-short"
    assert page.code(use(code, name="Jörg")) == "account-name-form"
    assert page.code(use(code)) == ""


def test_the_code_gives_one_who_is_locked_out_a_new_password(two: TwoAgents) -> None:
    settle_in(two.a)
    viewer(two.a, "bert")
    assert Page(two.a).code(use(new_code(two.a), "bert", OTHER_WORDS)) == ""
    assert Page(two.a).log_in("bert", OTHER_WORDS).account.role is ADMINISTRATOR


def test_the_code_works_while_somebody_guesses_at_every_name(two: TwoAgents) -> None:
    """F17: console access stays."""
    settle_in(two.a)
    for _ in range(MOST_TRIES + 5):
        Page(two.a, "192.0.2.66").code(LogIn(name="anna", password="x", address="192.0.2.66"))
    assert Page(two.a).code(use(new_code(two.a), "anna", OTHER_WORDS)) == ""


def test_codes_are_not_tried_without_end(two: TwoAgents) -> None:
    codes = [Page(two.a).code(use("AAAAA-AAAAA-AAAAA-AAAAA")) for _ in range(MOST_TRIES + 1)]
    assert codes == ["setup-code-wrong"] * MOST_TRIES + ["too-many-tries"]


# --- sessions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "password"), [("anna", WORDS), (" Anna ", WORDS)])
def test_a_name_and_its_password_let_in(two: TwoAgents, name: str, password: str) -> None:
    settle_in(two.a)
    assert Page(two.a).log_in(name, password).account.name == "anna"


@pytest.mark.parametrize(
    ("name", "password"), [("anna", OTHER_WORDS), ("carl", WORDS), ("", ""), ("anna", "")]
)
def test_nothing_else_does_and_always_with_the_same_words(two: TwoAgents, name: str, password: str) -> None:
    settle_in(two.a)
    asked = two.a.wiring.passwords.checked
    assert Page(two.a).code(LogIn(name=name, password=password)) == "log-in-wrong"
    assert two.a.wiring.passwords.checked == asked + 1


def test_a_session_lives_on_when_the_agent_is_started_anew(two: TwoAgents) -> None:
    session = settle_in(two.a)
    two.a.start()
    assert is_logged_in(Page(two.a).act_for(session))


def test_a_session_ends_after_two_hours_without_use(two: TwoAgents) -> None:
    page = Page(two.a).act_for(settle_in(two.a))
    for _ in range(3):
        two.clock.advance(1.9 * HOUR)
        assert is_logged_in(page)
    two.clock.advance(2.1 * HOUR)
    assert page.code(CancelJob(id="none")) == "session-ended"
    assert page.code(GetStatus()) == ""


def test_a_page_that_looks_again_by_itself_does_not_use_the_session(two: TwoAgents) -> None:
    session = settle_in(two.a)
    for _ in range(2):
        two.clock.advance(0.9 * HOUR)
        page = Page(two.a)
        page.ask(Authenticate(token=session.token, address=ADDRESS, is_watching=True))
        assert is_logged_in(page)
    two.clock.advance(0.3 * HOUR)
    assert page.code(CancelJob(id="none")) == "session-ended"


def test_a_session_ends_after_twelve_hours(two: TwoAgents) -> None:
    page = Page(two.a).act_for(settle_in(two.a))
    for _ in range(12):
        assert is_logged_in(page)
        two.clock.advance(HOUR)
    assert not is_logged_in(page)


def test_who_logs_out_is_out_on_every_connection(two: TwoAgents) -> None:
    session = settle_in(two.a)
    page, other = Page(two.a).act_for(session), Page(two.a).act_for(session)
    page.ask(LogOut())
    assert not is_logged_in(page)
    assert not is_logged_in(other)
    assert other.code(Authenticate(token=session.token)) == "session-ended"


def test_a_token_that_was_never_given_is_none(two: TwoAgents) -> None:
    settle_in(two.a)
    for token in ("", "x", "\ud800", "A" * 43):
        assert Page(two.a).code(Authenticate(token=token)) == "session-ended"


def test_the_state_holds_no_token(two: TwoAgents) -> None:
    session = settle_in(two.a)
    made = cast("NewToken", two.a.ask(MakeToken(name="probe", role=VIEWER)))
    two.a.store.gather()
    state = two.a.folder / "state"
    for file in (each for each in state.rglob("*") if each.is_file()):
        for secret in (session.token, made.token, WORDS):
            assert secret.encode() not in file.read_bytes()


def test_the_sessions_of_a_removed_account_end(two: TwoAgents) -> None:
    settle_in(two.a)
    viewer(two.a)
    page = Page(two.a).act_for(Page(two.a).log_in("bert"))
    two.a.ask(RemoveAccount(name="bert"))
    assert page.code(LOOK) == "session-ended"


def test_a_changed_password_ends_all_other_sessions(two: TwoAgents) -> None:
    settle_in(two.a)
    mine, other = Page(two.a).act_for(Page(two.a).log_in()), Page(two.a).act_for(Page(two.a).log_in())
    mine.ask(ChangePassword(old=WORDS, new=OTHER_WORDS))
    assert is_logged_in(mine)
    assert not is_logged_in(other)
    assert Page(two.a).code(LogIn(name="anna", password=WORDS)) == "log-in-wrong"
    assert Page(two.a).log_in(password=OTHER_WORDS)


def test_who_sits_at_a_foreign_session_cannot_change_the_password(two: TwoAgents) -> None:
    page = Page(two.a).act_for(settle_in(two.a))
    assert page.code(ChangePassword(old="guess", new=OTHER_WORDS)) == "log-in-wrong"
    assert page.code(ChangePassword(old=WORDS, new="short")) == "password-short"
    assert Page(two.a).log_in()


def test_a_role_that_changed_holds_at_once(two: TwoAgents) -> None:
    settle_in(two.a)
    viewer(two.a)
    page = Page(two.a).act_for(Page(two.a).log_in("bert"))
    assert page.code(ListAccounts()) == "needs-administrator"
    two.a.ask(PutAccount(name="bert", role=ADMINISTRATOR))
    assert page.code(ListAccounts()) == ""


def test_a_full_disk_keeps_no_administrator_from_logging_in(two: TwoAgents) -> None:
    settle_in(two.a)

    def full(_name: str, _body: bytes) -> None:
        raise NoSpace("state-disk-full", path="/var/lib/beistand", why="full")

    two.a.store.put = full
    assert is_logged_in(Page(two.a).act_for(Page(two.a).log_in()))


def test_one_account_has_no_sessions_without_end(two: TwoAgents) -> None:
    first = settle_in(two.a)
    sessions = [Page(two.a).log_in() for _ in range(25)]
    assert Page(two.a).code(Authenticate(token=first.token)) == "session-ended"
    assert is_logged_in(Page(two.a).act_for(sessions[-1]))


# --- accounts and tokens -------------------------------------------------------------------------


def test_accounts_are_listed_without_their_secrets(two: TwoAgents) -> None:
    settle_in(two.a)
    viewer(two.a)
    listed = cast("AccountList", two.a.ask(ListAccounts()))
    assert [(each.name, each.role) for each in listed.accounts] == [("anna", ADMINISTRATOR), ("bert", VIEWER)]
    assert "fake$" not in str(listed)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (PutAccount(name="carl", role=VIEWER), "password-short"),
        (PutAccount(name="carl", role=VIEWER, password="password123"), "password-common"),
        (PutAccount(name="C/arl", role=VIEWER, password=WORDS), "account-name-form"),
        (PutAccount(name="anna", role=VIEWER), "last-administrator"),
        (RemoveAccount(name="anna"), "last-administrator"),
        (RemoveAccount(name="carl"), "unknown-account"),
        (RemoveToken(id="1"), "unknown-token"),
        (MakeToken(name="a program", role=VIEWER), "account-name-form"),
    ],
)
def test_what_is_refused_changes_nothing(two: TwoAgents, request_, expected: str) -> None:
    settle_in(two.a)
    before = two.a.store.settings()
    with pytest.raises(Refused, match=expected):
        two.a.ask(request_)
    assert two.a.store.settings() == before


def test_a_program_acts_by_its_token_until_it_is_removed(two: TwoAgents) -> None:
    settle_in(two.a)
    made = cast("NewToken", two.a.ask(MakeToken(name="probe", role=ADMINISTRATOR)))
    page = Page(two.a).act_for(made.token)
    assert page.caller.who == "token:probe"
    assert is_logged_in(page)
    two.a.ask(RemoveToken(id=made.view.id))
    assert page.code(CancelJob(id="none")) == "session-ended"


def test_a_program_needs_an_administrators_password_for_what_is_dangerous(two: TwoAgents) -> None:
    settle_in(two.a)
    viewer(two.a)
    made = cast("NewToken", two.a.ask(MakeToken(name="probe", role=ADMINISTRATOR)))
    page = Page(two.a)
    assert page.act_for(made.token).code(RetryService()) == "needs-password"
    ask = Authenticate(token=made.token, name="anna", password=WORDS)
    assert page.code(Authenticate(token=made.token, password=WORDS)) == "log-in-wrong"
    assert page.code(Authenticate(token=made.token, name="bert", password=WORDS)) == "needs-administrator"
    assert page.code(RetryService()) == "needs-root"
    assert page.code(ask) == ""
    assert page.caller.who == "anna"
    assert page.code(RetryService()) not in ("needs-password", "needs-root")


def test_a_viewers_token_stays_one_whoever_gives_a_password(two: TwoAgents) -> None:
    settle_in(two.a)
    made = cast("NewToken", two.a.ask(MakeToken(name="probe", role=VIEWER)))
    page = Page(two.a).act_for(made.token, "anna", WORDS)
    assert page.code(RetryService()) == "needs-administrator"


def test_a_password_that_was_changed_is_not_sure_any_more(two: TwoAgents) -> None:
    settle_in(two.a)
    made = cast("NewToken", two.a.ask(MakeToken(name="probe", role=ADMINISTRATOR)))
    page = Page(two.a).act_for(made.token, "anna", WORDS)
    two.a.ask(PutAccount(name="anna", role=ADMINISTRATOR, password=OTHER_WORDS))
    assert page.code(RetryService()) == "needs-password"


# --- guessing ------------------------------------------------------------------------------------


def test_ten_wrong_tries_a_minute_at_one_account_from_anywhere(two: TwoAgents) -> None:
    settle_in(two.a)
    for number in range(MOST_TRIES):
        Page(two.a).code(LogIn(name="anna", password="guess", address=f"192.0.2.{number}"))
    again = [
        Page(two.a).code(LogIn(name="anna", password="guess", address=f"192.0.2.{number}"))
        for number in range(3)
    ]
    assert again == ["too-many-tries"] * 3, "who has guessed is refused"
    two.clock.advance(MINUTE)
    assert Page(two.a).log_in()


def test_who_has_not_guessed_is_kept_waiting_and_not_out(two: TwoAgents) -> None:
    """D11: an address that this appliance has never seen, while somebody guesses without end from elsewhere."""
    settle_in(two.a)
    for _ in range(MOST_TRIES):
        Page(two.a).code(LogIn(name="anna", password="guess", address="192.0.2.66"))
    before = two.clock.monotonic()
    assert Page(two.a).code(LogIn(name="anna", password=WORDS, address="192.0.2.99")) == ""
    assert two.clock.monotonic() - before == DELAY_SECONDS
    assert Page(two.a).code(LogIn(name="anna", password="guess", address="192.0.2.66")) == "too-many-tries"


def test_names_that_nobody_has_are_answered_as_the_others(two: TwoAgents) -> None:
    """Else a delay would tell who has an account."""
    settle_in(two.a)
    for number in range(MOST_TRIES):
        Page(two.a).code(LogIn(name=f"nobody{number}", password="guess", address=f"192.0.2.{number}"))
    before = two.clock.monotonic()
    code = Page(two.a).code(LogIn(name="no-one", password="guess", address="192.0.2.99"))
    assert (code, two.clock.monotonic() - before) == ("log-in-wrong", DELAY_SECONDS)


def test_nobody_is_kept_waiting_for_longer_than_a_page_lasts(two: TwoAgents) -> None:
    throttle = Throttle(two.clock.monotonic)
    for _ in range(MOST_TRIES):
        throttle.take(["account anna"])
    delays = [throttle.take_or_wait([f"address {number}"], "account anna")[1] for number in range(2)]
    assert delays == [DELAY_SECONDS, LONGEST_DELAY]
    with pytest.raises(Refused, match="too-many-tries"):
        throttle.take_or_wait(["address 9"], "account anna")
    with pytest.raises(Refused, match="too-many-tries"):
        throttle.take_or_wait([], "account anna")
    two.clock.advance(DELAY_SECONDS)
    assert throttle.take_or_wait(["address 9"], "account anna")[1] == LONGEST_DELAY


def test_a_stolen_session_keeps_its_owner_from_nothing(two: TwoAgents) -> None:
    stolen, own = settle_in(two.a), Page(two.a).log_in()
    for _ in range(MOST_TRIES + 1):
        Page(two.a).code(Authenticate(token=stolen.token, password="guess"))
    assert Page(two.a).act_for(own, password=WORDS).caller.sure_as == "anna"


def test_places_travel_so_that_guessing_on_the_standby_keeps_nobody_out(two: TwoAgents) -> None:
    """D11: she only ever logged in on the active; on the day somebody guesses on the standby."""
    settle_in(two.a)
    Page(two.a).code(LogIn(name="anna", password=WORDS, address="192.0.2.7"))
    two.turns(2)
    two.a.agent.link.turn()
    two.a.off()
    assert is_known(two.b.store.settings().known_places, "anna", "192.0.2.7")
    for _ in range(MOST_TRIES):
        Page(two.b).code(LogIn(name="anna", password="guess", address="192.0.2.66"))
    before = two.clock.monotonic()
    assert Page(two.b).code(LogIn(name="anna", password=WORDS, address="192.0.2.7")) == ""
    assert two.clock.monotonic() == before, "at once"


def test_what_the_standby_has_seen_it_remembers_itself(two: TwoAgents) -> None:
    settle_in(two.a)
    two.turns(2)
    two.a.agent.link.turn()
    settings = two.b.store.settings()
    assert Page(two.b).code(LogIn(name="anna", password=WORDS, address="192.0.2.8")) == ""
    assert two.b.store.settings() == settings, "they are the active's"
    assert KnownPlaces(two.b.agent).knows("anna", "192.0.2.8")


def test_an_account_that_is_removed_takes_its_places_with_it(two: TwoAgents) -> None:
    settle_in(two.a)
    viewer(two.a)
    Page(two.a).log_in("bert")
    assert is_known(two.a.store.settings().known_places, "bert", ADDRESS)
    two.a.ask(RemoveAccount(name="bert"))
    assert not is_known(two.a.store.settings().known_places, "bert", ADDRESS)


def test_ten_wrong_tries_a_minute_from_one_address_at_any_names(two: TwoAgents) -> None:
    settle_in(two.a)
    names = [f"a{number}" for number in range(MOST_TRIES)]
    for name in names:
        assert Page(two.a).code(LogIn(name=name, password="guess", address="192.0.2.66")) == "log-in-wrong"
    assert Page(two.a).code(LogIn(name="anna", password=WORDS, address="192.0.2.66")) == "too-many-tries"
    assert Page(two.a).log_in()


def test_guessing_elsewhere_keeps_nobody_out_where_he_has_logged_in_before(two: TwoAgents) -> None:
    """The day of the takeover: nobody is logged in yet, and somebody guesses without end."""
    settle_in(two.a)
    own = "192.0.2.50"
    assert Page(two.a).code(LogIn(name="anna", password=WORDS, address=own)) == ""
    for number in range(MOST_TRIES):
        Page(two.a).code(LogIn(name="anna", password="guess", address=f"192.0.2.{number}"))
    assert Page(two.a).code(LogIn(name="anna", password=WORDS, address="192.0.2.9")) == "too-many-tries"
    assert Page(two.a).code(LogIn(name="anna", password=WORDS, address=own)) == ""
    wrong = [
        Page(two.a).code(LogIn(name="anna", password="guess", address=own)) for _ in range(MOST_TRIES + 1)
    ]
    assert wrong == ["log-in-wrong"] * MOST_TRIES + ["too-many-tries"], "not without end there, either"


def test_the_last_three_addresses_of_an_account_are_known_over_a_restart(two: TwoAgents) -> None:
    places, others = (KnownPlaces(two.a.agent) for _ in range(2))
    for number in range(5):
        places.learn("anna", f"192.0.2.{number}")
    places.learn("anna", "192.0.2.3")
    known = [number for number in range(5) if others.knows("anna", f"192.0.2.{number}")]
    assert known == [2, 3, 4]
    assert not others.knows("bert", "192.0.2.3")
    assert not others.knows("anna", "")


def test_a_refusal_says_how_long_to_wait_and_waiting_helps(two: TwoAgents) -> None:
    throttle = Throttle(two.clock.monotonic)
    for _ in range(MOST_TRIES):
        throttle.take(["x"])
    two.clock.advance(20.5)
    with pytest.raises(Refused) as refused:
        throttle.take(["x"])
    assert refused.value.message.fields == {"seconds": 40}
    two.clock.advance(39.5)
    throttle.take(["x"])


def test_right_tries_do_not_count(two: TwoAgents) -> None:
    settle_in(two.a)
    for _ in range(3 * MOST_TRIES):
        Page(two.a).log_in()


def test_who_is_logged_in_has_tries_of_his_own(two: TwoAgents) -> None:
    """Nobody keeps an administrator from the click by guessing at his name."""
    session = settle_in(two.a)
    for _ in range(MOST_TRIES + 1):
        Page(two.a).code(LogIn(name="anna", password="guess", address="192.0.2.66"))
    assert Page(two.a).act_for(session, password=WORDS).caller.sure_as == "anna"
    wrong = [
        Page(two.a).code(Authenticate(token=session.token, password="guess")) for _ in range(MOST_TRIES + 1)
    ]
    assert wrong == ["log-in-wrong"] * MOST_TRIES + ["too-many-tries"]


def test_made_up_addresses_fill_no_memory(two: TwoAgents) -> None:
    throttle = Throttle(two.clock.monotonic)
    for number in range(MOST_SUBJECTS + 50):
        throttle.take([f"address {number}"])
    assert len(throttle._tries) == MOST_SUBJECTS


# --- before init, and as a pair ------------------------------------------------------------------


def test_it_all_works_before_init(two: TwoAgents) -> None:
    from beistand.adapters.store import SqliteStore

    store = SqliteStore(two.a.folder / "new" / "state.db")
    two.a.wiring.store = store
    two.a.start()
    status = two.a.ask(GetStatus())
    assert (status.initialised, status.has_administrator) == (False, False)
    code = cast("SetupCode", two.a.ask(MakeSetupCode()))
    assert (
        code.url == "https://192.0.2.1:8443/"
    )  # its only address; nobody's DNS knows a fresh machine's name
    page = Page(two.a)
    session = page.ask(use(code.code))
    assert page.act_for(session, password=WORDS).code(RetryService()) == "not-initialised"
    assert two.a.ask(GetStatus()).has_administrator
    store.close()


def test_the_code_names_the_pages_and_their_certificate(two: TwoAgents, tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    two.a.wiring.places = replace(two.a.wiring.places, web_certificate=file)
    assert cast("SetupCode", two.a.ask(MakeSetupCode())).fingerprint == ""
    file.write_text("-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n")
    answer = cast("SetupCode", two.a.ask(MakeSetupCode()))
    assert answer.url == "https://192.0.2.1:8443/"
    assert answer.fingerprint.startswith("BA:78:16:BF:8F:01")
    file.unlink()
    file.symlink_to("/etc/hostname")
    assert cast("SetupCode", two.a.ask(MakeSetupCode())).fingerprint == ""


def greet(two: TwoAgents) -> None:
    two.turns(2)
    two.a.agent.link.turn()


def test_accounts_reach_the_standby_by_themselves(two: TwoAgents) -> None:
    greet(two)
    settle_in(two.a)
    greet(two)
    assert two.b.store.settings() == two.a.store.settings()
    assert Page(two.b).log_in().account.name == "anna"


def test_a_session_ends_on_the_standby_with_a_password_that_came_from_the_active(two: TwoAgents) -> None:
    settle_in(two.a)
    greet(two)
    page = Page(two.b).act_for(Page(two.b).log_in())
    two.a.ask(PutAccount(name="anna", role=ADMINISTRATOR, password=OTHER_WORDS))
    greet(two)
    assert page.code(LOOK) == "session-ended"


def test_on_the_standby_of_a_pair_they_are_not_changed(two: TwoAgents) -> None:
    settle_in(two.a)
    greet(two)
    with pytest.raises(Refused, match="settings-on-the-active"):
        two.b.ask(PutAccount(name="carl", role=VIEWER, password=WORDS))
    page = Page(two.b).act_for(Page(two.b).log_in())
    assert page.code(ChangePassword(old=WORDS, new=OTHER_WORDS)) == "settings-on-the-active"


def test_at_the_standbys_console_a_password_holds_until_the_active_is_heard(two: TwoAgents) -> None:
    settle_in(two.a)
    greet(two)
    anew = PutAccount(name="anna", role=ADMINISTRATOR, password=OTHER_WORDS)
    with pytest.raises(Refused, match="settings-on-the-active"):
        two.b.ask(anew)
    two.cut()
    two.clock.advance(10)
    two.b.ask(PutAccount(name="anna", role=ADMINISTRATOR, password=OTHER_WORDS))
    settle_in(two.b, "carl")
    assert Page(two.b).log_in("anna", OTHER_WORDS)
    two.heal()
    greet(two)
    assert two.b.store.settings() == two.a.store.settings()
    assert Page(two.b).code(LogIn(name="carl", password=WORDS)) == "log-in-wrong"


def test_a_standby_keeps_its_accounts_while_the_active_has_none(two: TwoAgents) -> None:
    settle_in(two.b, "carl")
    greet(two)
    assert Page(two.b).log_in("carl")
    settle_in(two.a)
    greet(two)
    assert Page(two.b).log_in("anna")


def test_the_peer_gives_no_accounts_to_the_holder(two: TwoAgents) -> None:
    from beistand.domain.settings import PairSettings
    from beistand.protocol import PushSettings
    from fakes.agents import THE_PEER

    settle_in(two.a)
    with pytest.raises(Refused, match="settings-on-the-active"):
        two.a.ask(PushSettings(settings=PairSettings(revision=99)), THE_PEER)
    assert Page(two.a).log_in()


def test_nobody_looks_into_the_mail_server_without_an_account(two: TwoAgents) -> None:
    assert Page(two.a).code(GetMail()) == "needs-root"


# --- a password of a moment ago (A1) --------------------------------------------------------------

CLICK = StartTakeover(digest="x", operator="anna")
"""What the password is good for; this plan is refused as another one, once the caller may ask at all."""


def lately(two: TwoAgents, token: str) -> Page:
    page = Page(two.b)
    page.ask(Authenticate(token=token, is_recent=True))
    return page


@pytest.fixture
def session(two: TwoAgents) -> str:
    """An administrator's, on the standby, with a right password a moment ago."""
    two.turns(2)
    two.a.store.forget_pair()
    two.b.store.set_settings(two.a.store.settings())
    token = settle_in(two.b).token
    Page(two.b).act_for(token, password=WORDS)
    return token


def test_it_is_good_for_a_takeover_and_for_nothing_else(two: TwoAgents, session: str) -> None:
    page = lately(two, session)
    assert page.code(CLICK) == "plan-changed"
    for request in (RetryService(), PutAccount(name="eve", role=ADMINISTRATOR, password=OTHER_WORDS)):
        assert page.code(request) == "needs-password"


def test_it_is_good_for_two_minutes(two: TwoAgents, session: str) -> None:
    page = lately(two, session)
    two.clock.advance(PROOF_SECONDS - 1)
    assert page.code(CLICK) == "plan-changed"
    two.clock.advance(2)
    assert page.code(CLICK) == "needs-password"
    assert lately(two, session).code(CLICK) == "needs-password"


def test_it_is_good_in_this_session_only_and_only_if_asked_for(two: TwoAgents, session: str) -> None:
    other = Page(two.b).log_in()
    assert lately(two, other.token).code(CLICK) == "needs-password"
    page = Page(two.b)
    page.ask(Authenticate(token=session))
    assert page.code(CLICK) == "needs-password"


def test_another_password_ends_it(two: TwoAgents, session: str) -> None:
    page = lately(two, session)
    two.b.ask(PutAccount(name="anna", role=ADMINISTRATOR, password=OTHER_WORDS))
    assert page.code(CLICK) == "session-ended"


def test_a_wrong_password_is_remembered_by_nobody(two: TwoAgents) -> None:
    token = settle_in(two.b).token
    Page(two.b).code(Authenticate(token=token, password="guess"))
    assert lately(two, token).code(CLICK) == "needs-password"


def test_a_token_has_none_even_with_a_persons_password(two: TwoAgents, session: str) -> None:
    made = cast("NewToken", two.a.ask(MakeToken(name="probe", role=ADMINISTRATOR)))
    settings = two.b.store.settings()
    two.b.store.set_settings(msgspec.structs.replace(settings, tokens=two.a.store.settings().tokens))
    Page(two.b).act_for(made.token, "anna", WORDS)
    assert lately(two, made.token).code(CLICK) == "needs-password"


def test_a_takeover_uses_it_up(two: TwoAgents) -> None:
    proofs = RecentProofs(two.clock.monotonic)
    proofs.remember("1", "m")
    assert (proofs.recall("1"), proofs.recall("2")) == ("m", "")
    proofs.use_up("1")
    assert proofs.recall("1") == ""
