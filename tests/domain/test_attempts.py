"""S10: up to so many tries, five minutes apart, and what falls due meanwhile is one run."""

from datetime import UTC, datetime, timedelta

from beistand.domain.attempts import Attempts, after_failure, after_success

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def test_a_failed_try_is_followed_by_one_five_minutes_later() -> None:
    waiting = after_failure(Attempts(last_run=NOW), limit=10, now=NOW)
    assert waiting == Attempts(failed=1, next_at=NOW + timedelta(minutes=5), last_run=NOW)


def test_the_last_failed_try_ends_the_run() -> None:
    attempts = Attempts(last_run=NOW)
    tries = 0
    while tries == 0 or attempts.next_at is not None:
        tries += 1
        attempts = after_failure(attempts, limit=10, now=NOW)
    assert tries == 10
    assert attempts == Attempts(last_run=NOW)


def test_with_one_attempt_nothing_waits() -> None:
    assert after_failure(Attempts(), limit=1, now=NOW) == Attempts()


def test_a_limit_lowered_meanwhile_ends_the_run() -> None:
    assert after_failure(Attempts(failed=7, next_at=NOW), limit=3, now=NOW) == Attempts()


def test_a_try_that_works_ends_the_run() -> None:
    assert after_success(Attempts(failed=3, next_at=NOW, last_run=NOW)) == Attempts(last_run=NOW)
