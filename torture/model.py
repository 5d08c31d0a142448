"""The grant protocol as a model: every interleaving of more faults than the tests take, then deep random histories."""

import time

from domain.model import Left, Rules, first_state
from domain.model_search import Search
from torture.run import Run

WHOLE: dict[str, Left] = {
    "two clicks, a lost message": Left(clicks=2, messages=1),
    "two clicks, a dead agent": Left(clicks=2, agents=1),
    "a click, two dead agents": Left(clicks=1, agents=2),
    "a click, a power cut, a dead agent": Left(clicks=1, power=1, agents=1),
    "a click, a power cut, a broken line": Left(clicks=1, power=1, lines=1),
    "a click, a dead agent, a broken line": Left(clicks=1, agents=1, lines=1),
    "a click, two broken lines": Left(clicks=1, lines=2),
    "a click, a stranger, a dead agent": Left(clicks=1, strangers=1, agents=1),
    "three power cuts, two dead agents, two broken lines": Left(power=3, agents=2, lines=2),
}
SITES = {"": Rules(), ", strict": Rules(is_strict=True), ", dark site": Rules(has_witnesses=False)}
DEEP = Left(clicks=6, power=6, agents=6, lines=6, messages=4, strangers=2)
STEPS = 400
"""Of one random history."""
HISTORIES = 50
"""In one case."""


def campaign(run: Run) -> None:
    """Two thirds of the time for what has an end, the rest for histories without one."""
    begin = time.monotonic()
    share = run.seconds * 2 / 3 / (len(WHOLE) * len(SITES))
    for number, (name, site) in enumerate([(name, site) for name in WHOLE for site in SITES][:: run.every]):
        with run.case(f"{name}{site}"):
            end = begin + share * (number + 1) * run.every
            search = Search(SITES[site], is_over=lambda end=end: time.monotonic() > end)
            states = search.explore(first_state(WHOLE[name]))
            run.injected(search.faults)
            run.recovered(search.ends)
            run.say(f"  {name}{site}: {states} states{'' if search.is_whole else ', not all of them'}")
    while not run.is_over:
        site = run.random.choice(list(SITES))
        with run.case(f"{HISTORIES} random histories{site}"):
            search = Search(SITES[site])
            for _ in range(HISTORIES):
                search.walk(first_state(DEEP), run.random, STEPS)
            run.injected(search.faults)
            run.recovered(search.ends)
