"""The agent's parts, and the one place that holds them together."""

from datetime import datetime
from functools import cached_property
from threading import Event as Signal
from threading import Lock, RLock

from beistand.agent.accounts import Accounts
from beistand.agent.aftermath import Aftermath
from beistand.agent.alarms import Alarms
from beistand.agent.audit import Audit
from beistand.agent.coverage import CoverageLook
from beistand.agent.directory import Directory
from beistand.agent.forks import Forks
from beistand.agent.healing import Healing
from beistand.agent.keeper import Keeper
from beistand.agent.link import Link
from beistand.agent.log import Complaints
from beistand.agent.lookout import Lookout
from beistand.agent.network_file_look import NetworkFileLook
from beistand.agent.network_setup import NetworkSetup
from beistand.agent.notices import Notices
from beistand.agent.own_data import OwnData
from beistand.agent.own_machine import OwnMachine
from beistand.agent.pausing import learn_pause, own_pause
from beistand.agent.peer_clock import PeerClock
from beistand.agent.peer_words import PeerWords
from beistand.agent.postman import Postman
from beistand.agent.replication import learn_copy, learn_peer, send_settings
from beistand.agent.room import Room
from beistand.agent.self_report import SelfReport
from beistand.agent.strays import Strays
from beistand.agent.uploads import Uploads
from beistand.agent.watch import Watch
from beistand.agent.worker import Worker
from beistand.domain.config import config_digest
from beistand.domain.errors import BeistandError, Refused
from beistand.domain.generation import Copy, CopyState, Generation
from beistand.domain.judging import Judging
from beistand.domain.message import Message
from beistand.domain.pair import Appliance, Greeting
from beistand.domain.phones import Dated
from beistand.domain.role import Role
from beistand.operations.importing import live_generation
from beistand.ports.node import Node
from beistand.ports.peer import Peer
from beistand.ports.store import Event
from beistand.wiring import Wiring

ALL = 1000
"""More copies than are ever kept: a month of failures must not hide the last good one."""
USABLE = (CopyState.IMPORTED, CopyState.PROVEN)


class Agent:
    """One appliance's engine. `node` is there once the machine was initialised."""

    is_recovering = False
    """Set from the start until what was cut short is brought to an end; the keeper takes no turn before."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.clock = wiring.clock
        self.store = wiring.store
        self._lock = RLock()
        self.pairing = Lock()
        """Held while the pair is changed outside a job: nothing writes an old one over a new one."""
        self.changing_settings = Lock()
        """Held while the pair settings are changed: nobody's change is lost."""
        self._node: Node | None = None
        self.wake = Signal()
        """Set when the main loop should take its next turn at once."""
        self.next_unasked = 0.0
        """Monotonic seconds before which no cycle starts by itself."""
        self.troubles: dict[str, Message] = {}
        """What is wrong with this appliance itself, by what it concerns; each one is a finding."""
        self.complaints = Complaints(wiring.clock.monotonic)
        self.report = SelfReport(wiring.addresses, wiring.services, wiring.time_servers, wiring.clock)
        self.worker = Worker(wiring.clock)
        self.keeper = Keeper(self)
        self.network_setup = NetworkSetup(self)
        self.link = Link(wiring.clock, self._peer, self.greeting, self._news, self._check)
        self.link.on_answer = lambda greeting: send_settings(self, greeting)
        self.healing = Healing(self)
        self.peer_clock = PeerClock(wiring.store, wiring.clock)
        self.watch = Watch(self)
        self.lookout = Lookout(self)
        self.alarms = Alarms(self)
        self.uploads = Uploads(self)
        self.accounts = Accounts(self)
        self.audit = Audit(self)
        self.coverage = CoverageLook(self)
        self.network_file_look = NetworkFileLook(self)
        self.directory = Directory(self)
        self.own_data = OwnData(self)
        self.forks = Forks(self)
        self.postman = Postman(self)
        self.room = Room(self)
        self.notices = Notices(self)
        self.aftermath = Aftermath(self)

    @cached_property
    def strays(self) -> Strays:
        return Strays(self)

    @cached_property
    def peer_words(self) -> PeerWords:
        return PeerWords(self)

    @cached_property
    def own_machine(self) -> OwnMachine:
        return OwnMachine(self)

    @property
    def node(self) -> Node:
        """This appliance. Raises Refused `not-initialised`."""
        with self._lock:
            if self._node is None:
                raise Refused("not-initialised")
            return self._node

    @property
    def is_initialised(self) -> bool:
        with self._lock:
            return self._node is not None

    def reload(self) -> None:
        """Build the node anew: after the start, `init` and pairing."""
        with self._lock:
            old = self._node
            node = self._node = self.wiring.node()
            if node is not None:
                self._node = None
                self.own_machine.check(node.installation)
                self._node = node
            if old is not None and old.peer is not None:
                old.peer.close()

    @property
    def state(self) -> str:
        """What everybody is told of how this appliance is."""
        return "recovering" if self.is_recovering else self.keeper.state

    def appliance(self) -> Appliance:
        node = self.node
        licence = node.store.licences().server_key
        return self.report.appliance(node.store.standing().me, licence, node.installation, node.profile)

    def judging(self) -> Judging:
        """Return what looks at many parts, of which one that fails must not silence the others; it is logged."""
        return Judging(self.complaints.judged)

    def tell(self, event: Event) -> None:
        """Add a line to the history; where the disk takes none, the journal says so and nothing stops."""
        try:
            self.store.tell(event)
        except BeistandError as error:
            self.complaints.tell("history", error.message, "error")

    def greeting(self) -> Greeting | None:
        """Return what is said to the peer; None before there is one."""
        if not self.is_initialised or self.store.pair() is None:
            return None
        standing = self.store.standing()
        newest = next(iter(self.store.copies(1)), None)
        return Greeting(
            appliance=self.appliance(),
            grant=standing.grant,
            own_epoch=standing.own_epoch,
            serving=self.keeper.is_serving,
            verified=self.keeper.is_verified,
            served_unverified_seconds=self.keeper.unverified_seconds(),
            config_revision=self.store.config().revision,
            newest=newest,
            settings_revision=self.store.settings().revision,
            licences=self.store.licences(),
            pause=own_pause(self.store),
            claims=self.keeper.claims,
            alarm=self.alarms.path(),
            outlook=self.lookout.outlook(),
            config_digest=config_digest(self.store.config()),
            fork=self.forks.open(),
            history=self.forks.mine(),
        )

    def usable(self) -> Copy | None:
        """Return what a takeover would serve now; on the active, what it knows of the standby's copy."""
        role = self.store.standing().role
        if role is Role.STANDBY:
            live = live_generation(self.node)
            return self.copy_of(live) if live and live.pair == self._pair_id() else None
        if role is Role.SUPERSEDED:
            return None  # what lies here is its own, as it was when the other took over: no generation
        # What the standby of an earlier pair has is of no use to this one.
        ours = (each for each in self.store.copies(ALL) if each.generation.pair == self._pair_id())
        return next((each for each in ours if each.state in USABLE), None)

    def to_serve(self) -> Copy | None:
        """Return the copy that a takeover here would serve; None: what this appliance served itself, or nothing."""
        return self.usable() if self.store.standing().role is Role.STANDBY else None

    def clock_of(self, generation: Generation) -> datetime:
        """Return what the clock shows now that dated this generation: its age is judged by that (B3, F9)."""
        pair = self.store.pair()
        is_peers = pair is not None and generation.source == pair.peer.node
        return self.peer_clock.now() if is_peers else self.clock.now()

    def dated(self) -> Dated | None:
        """Return when the contacts of the live generation were those of a running PBX; None: there is none."""
        live = live_generation(self.node)
        if live is None:
            return None
        age = (self.clock_of(live) - live.begin).total_seconds()
        return Dated(at=live.begin.timestamp(), age=max(0.0, age))

    def copy_of(self, generation: Generation) -> Copy:
        """Return the copy of a generation whose data is here."""
        for each in self.store.copies(ALL):
            if each.generation.id == generation.id and each.state in USABLE:
                return each
        return Copy(generation=generation, state=CopyState.IMPORTED, at=generation.end)

    def _check(self, greeting: Greeting) -> None:
        self.peer_words.check(greeting)

    def _news(self, greeting: Greeting, was_silent: bool) -> None:
        self.peer_words.hear(greeting)
        self.keeper.news(greeting, was_silent)
        self.peer_clock.heard(greeting.appliance.now)
        learn_peer(self, greeting)
        learn_copy(self, greeting)
        learn_pause(self, greeting)

    def _pair_id(self) -> str:
        pair = self.store.pair()
        return pair.id if pair else ""

    def _peer(self) -> Peer | None:
        with self._lock:
            return self._node.peer if self._node else None
