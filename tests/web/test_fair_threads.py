"""D10, F12: whoever asks much, or waits long, keeps nobody else from a page. By slots, not by seconds."""

from collections.abc import Iterator
from concurrent.futures import Future, wait
from threading import Event
from typing import Any

import pytest

from beistand.protocol import WatchJob
from beistand.web.browsers import MOST_WAITING
from beistand.web.fair_threads import FairThreads, Whose
from beistand.web.reception import session_of
from beistand.web.serve import THREADS
from beistand.web.waiting import MOST_WAITERS, Waiters, patient

SOON = 20.0
"""Limit for what happens at once, on a busy machine."""
VIEWERS = [f"192.0.2.{number}" for number in range(4)]


@pytest.fixture
def threads() -> Iterator[FairThreads]:
    pool = FairThreads(THREADS)
    yield pool
    pool.shutdown()


class Work:
    """Requests that last until a test lets them go."""

    def __init__(self, threads: FairThreads) -> None:
        self.threads = threads
        self.go = Event()
        self.began: list[str] = []

    def lasting(self, whose: Whose, count: int) -> list[Future[Any]]:
        return [self.threads.submit_for(whose, self._last) for _ in range(count)]

    def quick(self, whose: Whose, name: str) -> Future[Any]:
        return self.threads.submit_for(whose, lambda: self.began.append(name))

    def _last(self) -> None:
        assert self.go.wait(60)


@pytest.fixture
def work(threads: FairThreads) -> Iterator[Work]:
    work = Work(threads)
    yield work
    work.go.set()


@pytest.mark.parametrize(
    "administrator", [Whose("198.51.100.1", "anna"), Whose(VIEWERS[0], "anna"), Whose(VIEWERS[0])]
)
def test_480_waiting_requests_of_a_viewer_leave_half_of_the_threads(work: Work, administrator: Whose) -> None:
    """Also where both come from one address, and before the administrator has logged in."""
    for address in VIEWERS:
        work.lasting(Whose(address, "bert"), 120)
    wait([work.quick(administrator, "page") for _ in range(50)], SOON)
    assert work.began == ["page"] * 50


def test_without_a_session_an_address_keeps_none_of_another_one_out(work: Work) -> None:
    work.lasting(Whose(VIEWERS[0]), 480)
    assert wait([work.quick(Whose(VIEWERS[1]), "page")], SOON).not_done == set()


def test_made_up_sessions_of_one_address_leave_threads_for_others(work: Work) -> None:
    for number in range(480):
        work.lasting(Whose(VIEWERS[0], f"made up {number}"), 1)
    assert wait([work.quick(Whose(VIEWERS[1], "anna"), "page")], SOON).not_done == set()


def test_who_asks_much_waits_for_itself() -> None:
    """One thread, so that the order can be seen: each address has its turn, and in it each session."""
    threads = FairThreads(1)
    work = Work(threads)
    work.lasting(Whose("z"), 1)
    for number in range(3):
        work.quick(Whose("a", "bert"), f"bert {number}")
    last = [work.quick(Whose("b", "carl"), "carl"), work.quick(Whose("a", "anna"), "anna")]
    last.append(work.quick(Whose("a", "bert"), "bert 3"))
    work.go.set()
    wait(last, SOON)
    assert work.began == ["bert 0", "carl", "anna", "bert 1", "bert 2", "bert 3"]
    threads.shutdown()


def test_what_fails_is_told_and_its_thread_goes_on(threads: FairThreads) -> None:
    def fails() -> None:
        raise ZeroDivisionError

    for _ in range(2 * THREADS):
        with pytest.raises(ZeroDivisionError):
            threads.submit_for(Whose("a"), fails).result(SOON)


def test_what_waits_is_done_after_the_end_and_nothing_new_is_taken() -> None:
    threads = FairThreads(1)
    work = Work(threads)
    work.lasting(Whose("a"), 1)
    waiting = work.quick(Whose("a"), "page")
    threads.shutdown()
    with pytest.raises(RuntimeError):
        work.quick(Whose("a"), "late")
    work.go.set()
    waiting.result(SOON)


@pytest.mark.parametrize(
    ("head", "same_as"),
    [
        (
            b"GET / HTTP/1.1\r\nCookie: a=b; __Host-session=xyz; c=d\r\n\r\n",
            b"\r\nCOOKIE: __host-SESSION=xyz\r\n\r\n",
        ),
        (b"\r\nAuthorization: Bearer bst_1\r\n\r\n", b"\r\nX: y\r\nAuthorization: Bearer bst_1\r\n\r\nz"),
    ],
)
def test_a_session_is_told_apart(head: bytes, same_as: bytes) -> None:
    assert session_of(head)
    assert session_of(head.lower()) == session_of(same_as.lower())
    assert session_of(head.replace(b"xyz", b"xyw").replace(b"bst_1", b"bst_2")) != session_of(head)


@pytest.mark.parametrize(
    "head", [b"", b"GET / HTTP/1.1\r\nCookie: x=y\r\n\r\n", b"\r\n\r\nCookie: __Host-session=xyz"]
)
def test_without_a_session_there_is_none(head: bytes) -> None:
    assert session_of(head) == ""


# --- who waits for a job --------------------------------------------------------------------------

WATCH = WatchJob(id="1", seen=4, seconds=2.0)
AT_ONCE = WatchJob(id="1", seen=4, seconds=0.0)


def test_a_session_has_one_waiter() -> None:
    waiters = Waiters()
    with patient(WATCH, "bert", waiters) as first, patient(WATCH, "bert", waiters) as second:
        assert (first, second) == (WATCH, AT_ONCE)
    with patient(WATCH, "bert", waiters) as again:
        assert again == WATCH


def test_all_waiters_and_all_slow_browsers_leave_threads_for_pages() -> None:
    assert MOST_WAITERS + MOST_WAITING <= THREADS - 8
    waiters = Waiters(most=1)
    with patient(WATCH, "bert", waiters), patient(WATCH, "anna", waiters) as second:
        assert second == AT_ONCE
