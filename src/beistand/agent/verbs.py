"""What the agent does for each request. Long acts become jobs; nothing here decides."""

from threading import Lock

from beistand.agent import (
    accounts,
    configuring,
    cycles,
    epochs,
    init_undo,
    insight,
    local_backups,
    mails,
    setting_up,
    takeovers,
    unpairing,
    updating,
    uploads,
)
from beistand.agent.access import ACCESS, Access, permit
from beistand.agent.acts import Acts
from beistand.agent.agent import Agent
from beistand.agent.caller import Caller
from beistand.agent.licensing import peer_licences
from beistand.agent.log import log
from beistand.agent.pair_settings import take_settings
from beistand.agent.status import status
from beistand.domain.config import ModuleConfig
from beistand.domain.connections import unpacked
from beistand.domain.errors import BeistandError, Refused
from beistand.domain.job import Job, JobKind
from beistand.domain.pair import Greeting
from beistand.domain.value import Value
from beistand.operations.importing import live_generation, restore_points
from beistand.operations.receiving import receive_generation
from beistand.operations.room_there import answer_offer, make_room
from beistand.ports.progress import Progress
from beistand.protocol import (
    Accepted,
    AcceptPair,
    CancelJob,
    Done,
    FetchHostKey,
    GenerationList,
    GetConfig,
    GetStatus,
    Greet,
    Hello,
    HostKey,
    Init,
    ListGenerations,
    MakeRoom,
    Offer,
    OfferAnswer,
    PlanTakeover,
    PushConfig,
    PushSettings,
    Receive,
    Release,
    Resume,
    RetryService,
    SetConfig,
    StartCycle,
    StartPair,
    StartTakeover,
    Status,
    TakeoverPlanAnswer,
    WatchJob,
)

LONGEST_WATCH_SECONDS = 30.0


class Verbs:
    """One method a request; `handle` finds it."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._initialising = Lock()
        self._acts: Acts = {
            Hello: self.hello,
            GetStatus: self.status,
            Init: self.init,
            FetchHostKey: self.fetch_host_key,
            StartPair: self.pair,
            AcceptPair: self.accept_pair,
            StartCycle: self.cycle,
            PlanTakeover: self.plan_takeover,
            StartTakeover: self.take_over,
            WatchJob: self.watch_job,
            CancelJob: self.cancel_job,
            GetConfig: self.get_config,
            SetConfig: self.set_config,
            ListGenerations: self.generations,
            RetryService: self.retry,
            Greet: self.greet,
            PushConfig: self.push_config,
            PushSettings: self.push_settings,
            Offer: self.offer,
            MakeRoom: self.make_room,
            Receive: self.receive,
            Release: self.release,
            Resume: self.resume,
            **accounts.acts(agent),
            **local_backups.acts(agent),
            **uploads.acts(agent),
            **mails.acts(agent),
            **insight.acts(agent),
            **updating.acts(agent),
            **epochs.acts(agent),
            **agent.network_setup.acts(),
            **agent.own_machine.acts(),
            **init_undo.acts(agent),
            **unpairing.acts(agent),
        }

    def handle(self, request: Value, caller: Caller) -> Value:
        """Do what is asked, if this caller may ask it; the answer's type follows from the request's."""
        try:
            if ACCESS.get(type(request)) is not Access.OPEN:
                caller = self._agent.accounts.fresh(caller)
            permit(request, caller)
            if caller.is_peer:
                self._agent.peer_words.check(request)
            answer = self._acts[type(request)](request, caller)
        except BeistandError as error:
            self._agent.audit.refused(request, caller, error.message)
            raise
        self._agent.audit.done(request, caller)
        return answer

    # --- people ---------------------------------------------------------------------------------

    def hello(self, request: Hello, caller: Caller) -> Value:
        if caller.is_peer:
            pair = self._agent.store.pair() if self._agent.is_initialised else None
            if pair is None:
                raise Refused("not-paired")
            if request.pair != pair.id:
                raise Refused("other-pair")
        return Done()

    def status(self, _request: GetStatus, _caller: Caller) -> Status:
        return status(self._agent)

    def init(self, request: Init, _caller: Caller) -> Value:
        with self._initialising, self._agent.network_setup.none_open():
            setting_up.initialise_appliance(self._agent, request)
        return Done()

    def fetch_host_key(self, request: FetchHostKey, _caller: Caller) -> HostKey:
        return setting_up.fetch_host_key(self._agent, request)

    def pair(self, request: StartPair, _caller: Caller) -> Job:
        return self._agent.worker.start(JobKind.PAIR, setting_up.pairing_work(self._agent, request))

    def accept_pair(self, request: AcceptPair, _caller: Caller) -> Accepted:
        return setting_up.accept(self._agent, request)

    def cycle(self, _request: StartCycle, _caller: Caller) -> Job:
        return cycles.start_cycle(self._agent, asked=True)

    def plan_takeover(self, request: PlanTakeover, caller: Caller) -> TakeoverPlanAnswer:
        return takeovers.show_plan(self._agent, request, caller)

    def take_over(self, request: StartTakeover, caller: Caller) -> Job:
        job = takeovers.start_takeover(self._agent, request, caller)
        self._agent.accounts.proofs.use_up(caller.credential)
        return job

    def watch_job(self, request: WatchJob, _caller: Caller) -> Job:
        return self._agent.worker.watch(request.id, request.seen, min(request.seconds, LONGEST_WATCH_SECONDS))

    def cancel_job(self, request: CancelJob, caller: Caller) -> Value:
        running = self._agent.worker.running()
        if caller.is_peer and (running is None or running.kind is not JobKind.RECEIVE):
            raise Refused("job-not-running", job=request.id)
        self._agent.worker.cancel(request.id)
        return Done()

    def get_config(self, _request: GetConfig, _caller: Caller) -> ModuleConfig:
        return self._agent.store.config()

    def set_config(self, request: SetConfig, caller: Caller) -> ModuleConfig:
        return configuring.set_config(self._agent, request, caller)

    def generations(self, _request: ListGenerations, _caller: Caller) -> GenerationList:
        live = live_generation(self._agent.node)
        return GenerationList(
            copies=self._agent.store.copies(),
            live=live.id if live else "",
            restore_points=restore_points(self._agent.node),
        )

    def retry(self, _request: RetryService, _caller: Caller) -> Value:
        if not self._agent.node.store.standing().is_holder:
            raise Refused("retry-without-grant")
        self._agent.own_machine.refuse_without_own_address()
        self._agent.keeper.retry()
        return Done()

    # --- the peer -------------------------------------------------------------------------------

    def greet(self, request: Greet, _caller: Caller) -> Greeting:
        self._agent.link.greeted(request.greeting)
        greeting = self._agent.greeting()
        if greeting is None:
            raise Refused("not-paired")
        return greeting

    def push_config(self, request: PushConfig, _caller: Caller) -> Value:
        if self._agent.node.store.standing().is_holder:
            raise Refused("configure-on-the-active")
        self._agent.peer_words.check_config(request.config)
        if request.config != self._agent.store.config():
            self._agent.store.set_config(request.config)
            log("settings-taken", revision=request.config.revision)
        return Done()

    def push_settings(self, request: PushSettings, _caller: Caller) -> Value:
        take_settings(self._agent, request.settings)
        return Done()

    def offer(self, request: Offer, _caller: Caller) -> OfferAnswer:
        if self._agent.is_recovering:
            # While trees are on their way back everything would travel, in vain.
            raise Refused("recovering")
        cycles.check_licences(self._agent.node, peer_licences(self._agent))
        return answer_offer(self._agent.node, request.generation)

    def make_room(self, request: MakeRoom, _caller: Caller) -> Value:
        make_room(self._agent.node, request)
        return Done()

    def receive(self, request: Receive, _caller: Caller) -> Job:
        def work(progress: Progress) -> dict[str, str]:
            copy = receive_generation(
                self._agent.node, request.generation, request.base, progress, unpacked(request.connections)
            )
            return {"state": copy.state}

        return self._agent.worker.start(JobKind.RECEIVE, work)

    def release(self, request: Release, _caller: Caller) -> Value:
        self._agent.peer_words.check_claim(request.epoch)
        self._agent.keeper.release(request.epoch)
        return Done()

    def resume(self, request: Resume, _caller: Caller) -> Value:
        self._agent.keeper.resume(request.epoch)
        return Done()
