"""The story: schedule, power cord, one command, phones that call each other again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from beistand_lab import doors
from beistand_lab.demo import after, before
from beistand_lab.demo.administrator import Administrator
from beistand_lab.demo.everything_rings import House, see_everything_ring
from beistand_lab.demo.identity import identity, plant_licence
from beistand_lab.demo.teller import Teller
from beistand_lab.lab import Lab, wait_for
from beistand_lab.settings import BUILD, PHONES

RESULT = BUILD.parent / "demo.json"
SHOWN = "build/demo.json"


def tell(
    name: str, subnet: str, say: Callable[[str], None], *, keep: bool = False, result: Path = RESULT
) -> int:
    """Boot a lab and tell the story in it. Returns 0 only if every claim was seen from outside."""
    teller = Teller(say=say)
    teller.act("two appliances, three phones, a mail host and a switch are being set up")
    lab = Lab.up(name, subnet, say=teller.act)
    shown = SHOWN if result == RESULT else result
    with left(lab, say, keep=keep):
        try:
            play(lab, teller)
        finally:
            teller.write(result)
        if teller.failed:
            say(f"NOT SEEN: {', '.join(teller.failed)}; figures in {shown}")
        else:
            say(f"every claim was seen from outside; figures in {shown}")
    return 1 if teller.failed else 0


@contextmanager
def left(lab: Lab, say: Callable[[str], None], *, keep: bool) -> Iterator[None]:
    """Take the lab away in the end, or say how to reach it: most of all when something broke off in between."""
    try:
        yield
    finally:
        if keep:
            say(how_to_reach(lab))
        else:
            lab.down()


def how_to_reach(lab: Lab) -> str:
    """What a person types to look around in a lab that was kept."""
    command = f"beistand-lab --name {lab.settings.name}"
    return "\n".join(
        (
            f"the lab is still running; the service address is {lab.settings.service_address}",
            doors.how_to_look(lab),
            f"  {command} pages                       the same addresses with new setup codes",
            f"  {command} sh b beistand status        the appliances' own command lines (a, b)",
            f"  {command} phone 101 dial 102          the phones 101, 102, 103",
            f"  {command} off b; {command} on b       power cords; cut and heal for cables",
            f"  {command} capture show                what passed the switch",
            f"  {command} mails                       what the mail host received",
            f"  {command} down                        takes everything away",
        )
    )


def play(lab: Lab, teller: Teller) -> None:
    """The whole story in a lab that is up."""
    administrator = Administrator(lab)
    house = House(lab)
    set_up(administrator, teller)
    before.connect(house, teller)
    own = identity(lab, "b")
    before.use_the_telephones(lab, teller)
    if not before.first_cycle(administrator, teller):
        return
    before.set_the_schedule(administrator, teller)
    # Before the lies: an offer that comes between would make its try a failed one, and the next is five minutes off.
    before.wait_for_the_schedule(administrator, teller)
    before.attack_the_identity(lab, teller)
    # Anew, so that none of them is due to register in the very seconds of the takeover.
    before.register_the_phones(lab)
    before.last_cycles(administrator, teller)
    before.be_ready_for_the_cord(administrator)
    cord = pull_the_cord(lab, teller)
    taken = after.take_over(administrator, teller, cord)
    if taken is None:
        return
    see_everything_ring(house, teller, taken)
    after.use_what_came_over(lab, teller)
    teller.claim("identity_untouched", identity(lab, "b") == own, "the standby's identity is what it was")
    after.switch_old_active_on(administrator, teller)


def play_shortly(lab: Lab, teller: Teller) -> None:
    """Only what a broken part of the product must turn red: one cycle, the cord, the click, the calls."""
    administrator = Administrator(lab)
    set_up(administrator, teller)
    before.use_the_telephones(lab, teller)
    if before.first_cycle(administrator, teller):
        cord = pull_the_cord(lab, teller)
        if after.take_over(administrator, teller, cord):
            after.use_what_came_over(lab, teller)


def set_up(administrator: Administrator, teller: Teller) -> None:
    """Initialise and pair the two, register the phones."""
    lab = administrator.lab
    for host in ("a", "b"):
        plant_licence(lab, host)
        active = _agent_state(lab, host)
        first = lab.sh(host, ["cat", "/proc/1/comm"]).stdout.strip()
        teller.claim(
            f"agent_runs_on_{host}",
            (active, first) == ("active", "systemd"),
            f"pbx-{host}: PID 1 is {first}, beistand-agent is {active}",
        )
    administrator.initialise()
    teller.act("beistand init: pbx-a is the active, pbx-b the standby")
    with lab.sip_probe(lab.settings.service_address) as probe:
        probe.first_answer(time.time(), 60)
    before.register_the_phones(lab)
    teller.act(f"phones {', '.join(map(str, PHONES))} are registered at {lab.settings.service_address}")
    done = administrator.pair()
    teller.claim(
        "paired", done.returncode == 0, f"beistand pair: {(done.stdout or done.stderr).splitlines()[0]}"
    )
    key = administrator.status("a")["licence_key"]
    administrator.run("a", "config", "set", f"licence_key={key}")


def _agent_state(lab: Lab, host: str) -> str:
    """What systemd says of the agent, once it has finished starting."""

    def state() -> str:
        said = lab.sh(host, ["systemctl", "is-active", "beistand-agent"], check=False).stdout.strip()
        return "" if said == "activating" else said

    return wait_for(state, 30, f"the agent of {host}")


def pull_the_cord(lab: Lab, teller: Teller) -> float:
    """The active dies: no good-bye to anybody. Returns when."""
    cord = time.time()
    lab.off("a")
    teller.act("the power cord of pbx-a is pulled")
    return cord
