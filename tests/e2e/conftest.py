"""Labs for the scenario tests: one per module, with a name and a subnet of its own."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from beistand_lab.browser import Browser
from beistand_lab.house import House
from beistand_lab.lab import Lab, down


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A booted lab with Beistand on both appliances, nothing set up yet."""
    yield from _booted(request, plain=False)


@pytest.fixture(scope="module")
def plain_lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A booted lab whose appliances know nothing of Beistand."""
    yield from _booted(request, plain=True)


@pytest.fixture(scope="module")
def lab_place(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Name and subnet that no other module and no other worker uses."""
    return _place(request)


@pytest.fixture(scope="module")
def browser(lab: Lab) -> Iterator[Browser]:
    """A real Chromium at the lab's mail host; see lab/beistand_lab/browser.py."""
    with Browser(lab.settings) as browser:
        yield browser


def _booted(request: pytest.FixtureRequest, *, plain: bool) -> Iterator[Lab]:
    require_root()
    name, subnet = _place(request)
    down(name)  # of a run that was killed
    try:
        yield Lab.up(name, subnet, plain=plain)
    finally:
        down(name)


@contextmanager
def furnished(place: tuple[str, str], house: House) -> Iterator[Lab]:
    """A booted lab at this name and subnet, with a house in it; taken away whatever happens."""
    require_root()
    name, subnet = place
    down(name)  # of a run that was killed
    try:
        yield Lab.up(name, subnet, house=house)
    finally:
        down(name)


def require_root() -> None:
    """A lab test that cannot run is a failure, not a silent skip."""
    if os.geteuid() != 0:
        pytest.fail("lab tests need root, for namespaces and mounts: run `make test` as root", pytrace=False)


def _place(request: pytest.FixtureRequest) -> tuple[str, str]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    module = request.module.__name__.rpartition(".")[2].removeprefix("test_").replace("_", "-")
    third = zlib.crc32(module.encode()) % 250
    return f"{module[:28]}-{worker}", f"10.{100 + int(worker)}.{third}.0/24"
