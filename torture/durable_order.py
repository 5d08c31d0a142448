"""F1: each operation's durable writes are write, fsync, rename, fsync of the folder; read off strace(1)."""

from __future__ import annotations

from collections.abc import Callable

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab
from e2e import guarding, pairing_up
from e2e.asking import SERVING, status
from e2e.killing import Boot, Killing, Release, Takeover
from e2e.killing_cycles import Backup, Import
from e2e.setting_up import Machine
from e2e.tracing import Trace, traced, traced_program, wait_until_quiet
from torture.labs import lab
from torture.run import Run

OPERATIONS: tuple[type[Killing], ...] = (Import, Backup, Boot, Takeover, Release)
STATE = "/var/lib/beistand"
TURNS = ("first", "second")
CARRIED = "/root/carried.beistand"
BY_HAND = {
    "config set": ("config", "set", "attempts=3"),
    "local backup": ("backup", "create"),
    "mail server": ("mail", "server", "--host", "192.0.2.1", "--sender", "pbx@example.org"),
}


def campaign(run: Run) -> None:
    """Watch every operation twice: what is made at the first time is replaced at the second."""
    with lab("order-setup") as booted:
        _setup(run, Machine(booted, booted.settings.manager_of("a")))
    with lab("order") as booted:
        administrator = pairing_up.initialised(booted)
        with run.case("pairing, both sides"), traced(booted, "b") as standby:
            _watch(run, booted, "a", lambda: administrator.pair().returncode == 0)
        _judge(run, standby)
        pairing_up.cycle(administrator)
        _backups(run, administrator)
        with run.case("beistand-guard"):
            _guard(run, booted, "b")
        for kind in OPERATIONS:
            operation = kind(booted)
            for turn in TURNS:
                with run.case(f"{operation.name}, {turn} time"):
                    operation.prepare()
                    _watch(run, booted, operation.victim, operation.act, wakes=kind is Boot)
        active = next(
            host for host in ("a", "b") if (found := status(booted, host)) and found.state in SERVING
        )
        for name, words in BY_HAND.items():
            with run.case(name):
                _watch(run, booted, active, _running(administrator, active, words))


def _setup(run: Run, machine: Machine) -> None:
    machine.begin()
    acts: dict[str, Callable[[], bool]] = {
        "setup": lambda: machine.start()["stage"] == "waiting",
        "its confirmation": lambda: machine.confirm()["stage"] == "confirmed",
        "its way back": lambda: machine.set_up("--undo", "--yes")["stage"] == "undone",
    }
    for turn in TURNS:
        for name, act in acts.items():
            with run.case(f"{name}, {turn} time"):
                _watch(run, machine.lab, "a", act)
    machine.assert_as_before()


def _backups(run: Run, administrator: Administrator, active: str = "a", standby: str = "b") -> None:
    """The import of a file, and backups that a person deletes."""
    booted = administrator.lab
    for turn in TURNS:
        made = administrator.ask(active, "backup", "create")["backup"]["id"]
        administrator.run(active, "backup", "get", made, "-o", CARRIED)
        booted.copy_in(standby, CARRIED, booted.read(active, CARRIED))
        with run.case(f"import of a file, {turn} time"):
            shown = administrator.ask(standby, "backup", "check", CARRIED)["generation"]["id"]
            words = ("backup", "import", CARRIED, "--confirm", shown)
            _watch(run, booted, standby, _running(administrator, standby, words))
        with run.case(f"deleted backup, {turn} time"):
            _watch(run, booted, active, _running(administrator, active, ("backup", "delete", made)))
        booted.sh(active, ["rm", CARRIED])


def _guard(run: Run, booted: Lab, host: str) -> None:
    """By hand, as before a boot: it needs nobody."""
    path = guarding.file_of(booted, host)
    right = booted.read(host, path)
    guarding.beside(booted, host)
    try:
        trace = traced_program(booted, host, ["/opt/beistand/bin/beistand-guard"])
        assert booted.settings.service_address not in booted.read(host, path).decode(), "it held nothing back"
    finally:
        booted.copy_in(host, path, right)
    _judge(run, trace)


def _running(administrator: Administrator, host: str, words: tuple[str, ...]) -> Callable[[], bool]:
    return lambda: administrator.run(host, *words).returncode == 0


def _watch(run: Run, booted: Lab, host: str, act: Callable[[], bool], *, wakes: bool = False) -> None:
    with traced(booted, host, wakes=wakes) as trace:
        assert act(), "it does not work"
        wait_until_quiet(booted, host, trace)
    _judge(run, trace)


def _judge(run: Run, trace: Trace) -> None:
    assert trace.has_written(STATE), "the trace shows nothing"
    found = trace.violations()
    assert not found, "; ".join(map(str, found))
    run.recovered()
