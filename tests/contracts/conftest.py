"""A running other end for the tests of the channel: sshd, accounts and a socket in the agent's place."""

import os
import shutil
from collections.abc import Iterator

import pytest

from beistand.adapters.ssh import SshPeer
from beistand.ports.peer import FOLDERS
from contracts.other_end import OtherEnd, nothing_to_say, other_end


@pytest.fixture(scope="module")
def running() -> Iterator[OtherEnd]:
    if os.geteuid() != 0:
        pytest.skip("sshd with accounts of its own needs root")
    with other_end() as end:
        yield end


@pytest.fixture
def end(running: OtherEnd) -> Iterator[OtherEnd]:
    """Empty inbox, keys as after a pairing, an agent that only says hello."""
    running.reply = nothing_to_say
    running.requests.clear()
    running.pair_up()
    for folder in FOLDERS:
        shutil.rmtree(running.inbox / folder, ignore_errors=True)
    yield running
    running.line().hang_up()


@pytest.fixture
def peer(end: OtherEnd) -> Iterator[SshPeer]:
    peer = end.peer()
    yield peer
    peer.close()
