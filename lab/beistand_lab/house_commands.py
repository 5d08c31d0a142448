"""The commands of `beistand-lab` for a lab that was built with `up --house`."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click

from beistand_lab.cli_options import Options
from beistand_lab.errors import LabError
from beistand_lab.farm import Farm
from beistand_lab.provider import Provider

_NUMBERS = click.argument("numbers", nargs=-1, required=True, type=int)


@click.group()
def farm() -> None:
    """Use the phone farm of a lab with a house: phones 1000 and following, over UDP."""


@farm.command()
@click.argument("numbers", nargs=-1, type=int)
@click.option("--expires", default=3600, show_default=True, help="Seconds that each phone asks for.")
@click.option("--once", is_flag=True, help="Let no phone register again before its term ends.")
@click.option("--lamps/--no-lamps", default=True, show_default=True, help="Ask for the lamps, too.")
@click.pass_obj
def register(options: Options, numbers: tuple[int, ...], *, expires: int, once: bool, lamps: bool) -> None:
    """Register these phones, all that are on without NUMBERS; the PBX has to answer at the service address."""
    lab = options.lab()
    one = lab.farm()
    begin = one.register(numbers or None, expires=expires, renew=not once)
    house = lab.house()
    if house and lamps:
        on = {int(number) for number, phone in one.phones().items() if phone["on"]}
        one.subscribe([(watcher, watched) for watcher, watched in house.watched if watcher in on])
    count, seconds = len(one.registered(begin)), round(time.time() - begin, 2)
    options.tell(f"{count} phones are registered after {seconds} s", registered=count, seconds=seconds)


@farm.command("status")
@click.pass_obj
def farm_status(options: Options) -> None:
    """How many phones are on and registered, what the lamps show, and where all events are."""
    one = options.lab().farm()
    phones = one.phones()
    lamps: dict[str, int] = {}
    for lamp in one.lamps().values():
        lamps[lamp["state"]] = lamps.get(lamp["state"], 0) + 1
    text = _farm_text(one, list(phones.values()))
    shown = ", ".join(f"{count} {state}" for state, count in sorted(lamps.items()))
    options.tell(f"{text}\nlamps: {shown or 'none yet'}", phones=phones, lamps=lamps, events=_events(one))


@farm.command("off")
@_NUMBERS
@click.pass_obj
def farm_off(options: Options, numbers: tuple[int, ...]) -> None:
    """Pull the plugs of phones: they say nothing to anybody."""
    one = options.lab().farm()
    one.switch_off(numbers)
    phones = one.phones()
    options.tell(_farm_text(one, list(phones.values())), phones=phones)


@farm.command("on")
@_NUMBERS
@click.option("--same-port", is_flag=True, help="From the port that it had; else from another.")
@click.pass_obj
def farm_on(options: Options, numbers: tuple[int, ...], *, same_port: bool) -> None:
    """Plug phones in again; each registers at once, as it did before."""
    one = options.lab().farm()
    one.switch_on(numbers, new_port=not same_port)
    phones = one.phones()
    options.tell(_farm_text(one, list(phones.values())), phones=phones)


@farm.command("call")
@click.argument("number", type=int)
@click.argument("target")
@click.option(
    "--then", type=click.Choice(["cancel", "hang-up", "keep"]), default="hang-up", show_default=True
)
@click.pass_obj
def farm_call(options: Options, number: int, target: str, *, then: str) -> None:
    """Let phone NUMBER call TARGET; `farm status` says where its events are."""
    one = options.lab().farm()
    one.call(number, target, then=then)
    options.tell(f"{number} calls {target}; see {_events(one)}", events=_events(one))


@click.group()
def provider() -> None:
    """Use the SIP provider of a lab with a house: its trunks register there."""


@provider.command("status")
@click.pass_obj
def provider_status(options: Options) -> None:
    """Which trunks are registered, what a REGISTER is answered, and where all requests are."""
    _tell_provider(options, options.lab().provider())


@provider.command()
@click.argument("code", type=click.IntRange(400, 699))
@click.pass_obj
def refuse(options: Options, code: int) -> None:
    """Answer each REGISTER with CODE, such as 403 or 503."""
    one = options.lab().provider()
    one.refuse(code)
    _tell_provider(options, one)


@provider.command()
@click.pass_obj
def silent(options: Options) -> None:
    """Answer no REGISTER at all."""
    one = options.lab().provider()
    one.stay_silent()
    _tell_provider(options, one)


@provider.command()
@click.pass_obj
def accept(options: Options) -> None:
    """Accept registrations again."""
    one = options.lab().provider()
    one.accept()
    _tell_provider(options, one)


def _tell_provider(options: Options, one: Provider) -> None:
    status = one.status()
    code = status["answers"]
    lines = [f"a REGISTER is answered {code}" if code else "a REGISTER is not answered"]
    for port, at in status["registered"].items():
        lines.append(f"port {port} " + (f"last registered at {at:.3f}" if at else "not registered"))
    lines.append(f"all requests: {_events(one)}")
    options.tell("\n".join(lines), **status, events=_events(one))


def _farm_text(one: Farm, phones: Sequence[dict[str, object]]) -> str:
    on, registered = (sum(bool(each[word]) for each in phones) for word in ("on", "registered"))
    return f"{len(phones)} phones, {on} on, {registered} registered; all events: {_events(one)}"


def _events(one: Farm | Provider) -> str:
    file = one.folder / "events.jsonl"
    if not file.parent.exists():
        raise LabError("this lab has no house", "beistand-lab up --house")
    return str(file)
