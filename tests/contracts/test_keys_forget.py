"""The pair's keys on disk when the pair ends: nobody is let in any more, and no machine is believed."""

import grp
import os
import pwd
from pathlib import Path

import pytest

from beistand.adapters.keys import SshKeys

KEY = "ssh-ed25519 " + "A" * 68


@pytest.mark.parametrize("own", [False, True])
def test_what_the_pair_knew_of_each_other_goes(tmp_path: Path, own: bool) -> None:
    account = pwd.getpwuid(os.getuid()).pw_name
    assert grp.getgrgid(os.getgid())
    keys = SshKeys(
        folder=tmp_path / "keys", authorised=tmp_path / "peer/.ssh/authorized_keys", account=account
    )
    mine = keys.public_key()
    keys.authorise(KEY, "192.0.2.2")
    keys.trust("192.0.2.2", KEY)
    for _ in range(2):
        keys.forget(own=own)
        assert not keys.authorised.exists()
        assert not keys.known_hosts.exists()
        assert keys.private_key.exists() is not own
    assert (keys.public_key() == mine) is not own


def test_a_machine_that_never_had_a_peer_forgets_nothing(tmp_path: Path) -> None:
    SshKeys(folder=tmp_path / "keys", authorised=tmp_path / "peer/.ssh/authorized_keys").forget(own=True)
    assert list(tmp_path.iterdir()) == []
