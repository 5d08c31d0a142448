"""What the standby can see of a broken active, network or itself, and what it then lets a person do.

The cheapest of them; `make torture` runs every scenario of evidence.py.
"""

from __future__ import annotations

import pytest

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab
from e2e import evidence, switching

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def administrator(lab: Lab) -> Administrator:
    return switching.prepare_pair(lab)


@pytest.mark.shows("S20", "F24")
def test_an_isolated_standby_refuses(administrator: Administrator) -> None:
    """S20: with its own cable cut everybody is silent, which says nothing about the active (F24)."""
    evidence.own_cable_cut(administrator)


@pytest.mark.shows("F22")
def test_the_active_defends_its_address_against_a_stranger(administrator: Administrator) -> None:
    """F22: a machine that takes the address later is answered each time, named with its MAC, and gets no calls."""
    evidence.stranger_comes_later(administrator)


@pytest.mark.shows("S20", "F23")
def test_a_hung_pbx_is_released_first(administrator: Administrator) -> None:
    """S20: silent over SIP, yet the peer has the address: it releases before the other serves (F23)."""
    evidence.hung_pbx(administrator)


@pytest.mark.shows("S20", "F22")
def test_a_stranger_with_the_address_cannot_be_overridden(administrator: Administrator) -> None:
    """S20: the active is off and somebody else answers for the address: refused, with the MAC (F22)."""
    evidence.stranger_was_first(administrator)


@pytest.mark.shows("F22", "S20")
def test_root_at_the_console_overlooks_a_forgery(administrator: Administrator) -> None:
    """S20, F22: by its MAC, which is typed; the takeover goes on and the rival is told."""
    evidence.forgery_overlooked(administrator)
