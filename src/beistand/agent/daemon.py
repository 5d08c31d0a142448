"""`beistand agent`: starts every part, keeps the machine as the standing says, ends cleanly."""

import signal
from threading import Event
from types import FrameType

from beistand import __version__
from beistand.adapters.service_manager import notify
from beistand.agent.agent import Agent
from beistand.agent.cycles import start_due_cycle
from beistand.agent.log import log, log_bug, log_message
from beistand.agent.server import Server
from beistand.agent.takeovers import recover
from beistand.agent.verbs import Verbs
from beistand.domain.errors import BeistandError
from beistand.domain.job import JobKind
from beistand.operations.tries import note_interrupted
from beistand.ports.places import Places
from beistand.wiring import Wiring

TICK_SECONDS = 1.0


def main(places: Places | None = None) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status."""
    places = places or Places()
    stopping = Event()
    try:
        wiring = Wiring(places)
    except BeistandError as error:
        log_message(error.message, "error")
        return 1
    agent = Agent(wiring)
    _end_on_signal(stopping, agent.wake)
    server = Server(places.socket, Verbs(agent).handle)
    recover(agent)
    server.open()
    agent.link.start()
    agent.watch.start()
    log("agent-ready", version=__version__)
    notify("READY=1")
    while not stopping.is_set():
        _tick(agent)
        agent.clock.wait(agent.wake, TICK_SECONDS)
        agent.wake.clear()
    _stop(agent, server)
    return 0


def _tick(agent: Agent) -> None:
    """One turn: what is due is done, whatever failed before; the watchdog is fed by turns only."""
    for act in (agent.keeper.tick, lambda: start_due_cycle(agent)):
        try:
            act()
        except BeistandError as error:
            log_message(error.message, "warning")
        except Exception:  # noqa: BLE001  the edge of the loop: the next turn may work
            log_bug("tick")
    notify(f"WATCHDOG=1\nSTATUS={agent.keeper.state}")


def _stop(agent: Agent, server: Server) -> None:
    """End what runs. The service address and the PBX stay: only a release touches calls."""
    log("agent-stops")
    notify("STOPPING=1")
    agent.watch.stop()
    agent.link.stop()
    running = agent.worker.running()
    agent.worker.stop(seconds=10)
    if running is not None and running.kind is JobKind.CYCLE:
        note_interrupted(agent.node)
    agent.keeper.stop()
    server.close()


def _end_on_signal(stopping: Event, wake: Event) -> None:
    def end(_number: int, _frame: FrameType | None) -> None:
        stopping.set()
        wake.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
