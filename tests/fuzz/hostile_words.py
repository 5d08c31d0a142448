"""A generator of what a broken-in peer may say: true words of an appliance, with hostile values at any place."""

import random
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec

from beistand.domain.config import ModuleConfig
from beistand.domain.errors import BeistandError
from beistand.domain.job import Job, JobState
from beistand.domain.settings import PairSettings
from beistand.protocol import (
    GetNetwork,
    GetStatus,
    Greet,
    PeerRequest,
    PlanTakeover,
    PushConfig,
    PushSettings,
    Release,
    Resume,
    StartTakeover,
    WatchJob,
)
from fakes.agents import THE_PEER, OneOfTwo, TwoAgents

NUMBERS = (
    *(0, 1, -1, 2, 3, 4, 5, 12, 10_002, 10_003, 2**31, 2**53, 2**60, 2**62, 2**63 - 2, 2**63 - 1, 2**63),
    *(2**64 - 1, 2**64, 10**30, -(2**63), 0.5, -0.5, 1e12, 1e300, -1e300, 1.7e308),
)
TEXTS = (
    *("", " ", "x", "\x1b[2J\x1b]0;x\x07", "\x00", "\n", "a\nb", "\u202e", "{0.__class__}", "{host}", "%s%n"),
    *(
        "../../etc/shadow",
        "999.1.1.1/24",
        "192.0.2.1/24\n",
        "192.0.2.1/33",
        "::1/64",
        "x" * 1_000,
        "x" * 100_001,
    ),
    *(
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00+23:59",
    ),
    *(
        "0001-01-01",
        "9999-12-31",
        "2999-12-31",
        "00:00:00",
        "23:59:59.999999",
        "NaN",
        "active",
        "administrator",
    ),
    *("$argon2id$v=19$m=4294967295,t=4294967295,p=255$YWFhYWFhYWE$YWFhYWFhYWE", "a" * 16, "b" * 16, "0" * 32),
)
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, ["x"] * 2_000, {"x": {"x": {"x": 1}}}, [[[[]]]])
MOST_CHANGES = 3
ALIKE = 0.9


class Liar:
    """The peer of B, which knows every word of its pair's channel."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.two = TwoAgents(folder)
        self.two.turns(2)
        self._chance = chance
        self._true = [msgspec.to_builtins(each) for each in self._words()]
        self.refused = self.taken = 0

    def _words(self) -> Iterator[Any]:
        greeting = self.two.a.agent.greeting()
        assert greeting is not None
        yield Greet(greeting=greeting)
        yield Greet(greeting=greeting)  # the word that is said most
        yield PushConfig(config=ModuleConfig(revision=1))
        yield PushSettings(settings=PairSettings(revision=1))
        yield Release(epoch=4)
        yield Resume(epoch=4)

    def says(self) -> None:
        """Say one word to the standby, as its socket takes it: refused or taken, and never a bug."""
        word = self.next_word()
        try:
            request = msgspec.json.decode(_encoded(word), type=PeerRequest)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            self.refused += 1
            return
        try:
            self.two.b.ask(request, THE_PEER)
        except BeistandError:
            self.refused += 1
        else:
            self.taken += 1
        self.two.b.turn()

    def next_word(self) -> Any:
        """Return a true word with a few hostile values in it."""
        word = msgspec.json.decode(msgspec.json.encode(self._chance.choice(self._true)))
        for _ in range(self._chance.randint(1, MOST_CHANGES)):
            self._change(word)
        return word

    def _change(self, word: Any) -> None:
        places = [each for each in _places(word) if not isinstance(each[0][each[1]], dict | list | bool)]
        if not places:
            return  # an earlier change took all of them away
        holder, key = self._chance.choice(places)
        old: Any = holder[key]
        alike = NUMBERS if isinstance(old, int | float) and not isinstance(old, bool) else TEXTS
        # Mostly of its own kind: what the types refuse never reaches a rule.
        wanted = self._chance.choice(alike if self._chance.random() < ALIKE else (*NUMBERS, *TEXTS, *OTHERS))
        # A later change may go into it: shared by two words it would hold itself at last, and no seed say the same.
        holder[key] = deepcopy(wanted)

    def is_survived(self) -> None:
        """The agent answers, nothing of its status fails, and a click serves the phones once the peer is off."""
        b = self.two.b
        self.looks_at_everything(b)
        self.two.a.off()
        self.two.clock.advance(60)
        self.looks_at_everything(b)
        plan = b.ask(PlanTakeover())
        codes = tuple(each.code for each in plan.findings)
        job: Job = b.ask(StartTakeover(digest=plan.digest, accept=codes, operator="anna"))
        while job.state is JobState.RUNNING:
            job = b.ask(WatchJob(id=job.id, seen=job.revision, seconds=5))
        assert job.state is JobState.DONE, job.error
        assert b.serves
        self.looks_at_everything(b)

    def looks_at_everything(self, one: OneOfTwo) -> None:
        status = one.ask(GetStatus())
        broken = [each for each in status.findings if each.code in ("not-judged", "evidence-not-judged")]
        assert broken == []
        msgspec.json.encode(status)
        one.ask(GetNetwork())

    def ends(self) -> None:
        self.two.stop()


def _places(word: Any) -> Iterator[tuple[Any, Any]]:
    items = word.items() if isinstance(word, dict) else enumerate(word)
    for key, value in list(items):
        if key != "verb":
            yield word, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _encoded(word: Any) -> bytes:
    import json

    return json.dumps(word).encode()
