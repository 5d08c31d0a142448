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
sys.exit(peer_command("beistand peer", Places(run=Path(sys.argv[1]))))
"""


def test_the_session_ends_with_the_agent(tmp_path: Path) -> None:
    """F1: a session whose agent was killed is not kept: the next request finds the new agent."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(tmp_path / "agent.sock"))
        listening.listen()
        command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as relay:
            listening.settimeout(30)
            agent, _ = listening.accept()
            agent.close()
            assert relay.wait(timeout=30) == 1
            assert relay.stderr is not None
            assert b"agent-unreachable" in relay.stderr.read()
