"""The relay between the pair's channel and the agent, as sshd starts it."""

import socket
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path
from beistand.agent.peer_command import peer_command
from beistand.ports.places import Places
places = Places(run=Path(sys.argv[1]), inbox=Path(sys.argv[1]) / "inbox")
sys.exit(peer_command(sys.argv[2], places))
"""
RECEIVE = "rsync --server -pIRze.LsfxCIvu --timeout=120 --inplace --no-implied-dirs . files"


def test_the_session_ends_with_the_agent(tmp_path: Path) -> None:
    """F1: a session whose agent was killed is not kept: the next request finds the new agent."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(tmp_path / "agent.sock"))
        listening.listen()
        command = [sys.executable, "-c", PROGRAM, str(tmp_path), "beistand peer"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as relay:
            listening.settimeout(30)
            agent, _ = listening.accept()
            agent.close()
            assert relay.wait(timeout=30) == 1
            assert relay.stderr is not None
            assert b"agent-unreachable" in relay.stderr.read()


def test_a_transfer_that_a_silent_line_left_behind_ends_when_the_next_begins(tmp_path: Path) -> None:
    """F12: two that write the same file would undo each other's work."""
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), RECEIVE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as silent:
        assert silent.stdout is not None
        assert silent.stdout.read(4)  # rsync's greeting: it waits for what the line never brings
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as following:
            assert following.stdout is not None
            assert following.stdout.read(4)
            assert silent.wait(timeout=30) != 0
            assert following.poll() is None
            following.kill()
        silent.kill()
