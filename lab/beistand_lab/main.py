"""The command `beistand-lab`."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from typing import Any

import click

from beistand_lab import control_groups, house_commands
from beistand_lab.cli_options import Options
from beistand_lab.errors import LabError
from beistand_lab.house import QUEUE, House
from beistand_lab.lab import Lab, down
from beistand_lab.settings import APPLIANCES, MANAGERS, PHONES

_HOST = click.Choice(["a", "b", "t", "m", "sw"])
_APPLIANCE = click.Choice(list(APPLIANCES))
_CABLE = click.Choice(["a", "b", "t", "m"])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--name", default="lab", show_default=True, help="Which lab: several can stand side by side.")
@click.option("--subnet", default="10.77.0.0/24", show_default=True, help="A /24 of its own for `up`.")
@click.option("--json", "as_json", is_flag=True, help="Answers for programs.")
@click.pass_context
def cli(context: click.Context, name: str, subnet: str, *, as_json: bool) -> None:
    """Two telephone systems, three phones, a mail host and a switch on this machine."""
    context.obj = Options(name, subnet, as_json)


cli.add_command(house_commands.farm)
cli.add_command(house_commands.provider)


@cli.command()
@click.option("--plain", is_flag=True, help="Appliances without Beistand.")
@click.option(
    "--manager", default=MANAGERS[0], show_default=True, help="Of the network; or a's and b's with a comma."
)
@click.option(
    "--house", "has_house", is_flag=True, help="200 phones, a queue, lamps and trunks on a, and a provider."
)
@click.pass_obj
def up(options: Options, *, plain: bool, manager: str, has_house: bool) -> None:
    """Build the lab and switch both appliances on."""
    begin = time.monotonic()
    lab = Lab.up(
        options.name,
        options.subnet,
        plain=plain,
        manager=manager,
        house=House() if has_house else None,
        say=lambda text: click.echo(text, err=True),
    )
    seconds = round(time.monotonic() - begin, 1)
    text = f"lab {options.name} is up after {seconds} s: a {lab.settings.address('a')}, b {lab.settings.address('b')}"
    if has_house:
        text += f"\n{_house_text(lab)}"
    options.tell(text, seconds=seconds, **dataclasses.asdict(lab.settings))


def _house_text(lab: Lab) -> str:
    house = lab.house()
    assert house is not None
    first, last = house.numbers[0], house.numbers[-1]
    ports = ", ".join(map(str, house.provider_ports))
    return (
        f"a has a house: phones {first} to {last}, {len(house.members)} of them in the queue {QUEUE}, "
        f"{len(house.watched)} lamps, {house.mailboxes} mailboxes\n"
        f"{house.trunks} trunks to the provider at {lab.settings.address('m')}, ports {ports}; TLS at 5061\n"
        f"once the PBX answers at {lab.settings.service_address}: beistand-lab --name {lab.settings.name} farm register"
    )


@cli.command()
@click.option("--keep", is_flag=True, help="Leave the lab running and say how to reach each part.")
@click.pass_obj
def demo(options: Options, *, keep: bool) -> None:
    """Tell the main job from pairing to a call after the power cord was pulled; 0 only if all was seen."""
    from beistand_lab.demo import story

    name = "demo" if options.name == "lab" else options.name
    sys.exit(story.tell(name, options.subnet, click.echo, keep=keep))


@cli.command("demo-often")
@click.option("--times", type=click.IntRange(min=1), default=30, show_default=True, help="Runs in a row.")
@click.option("--busy", type=click.IntRange(min=0), default=0, help="Busy loops beside them.")
@click.pass_obj
def demo_often(options: Options, *, times: int, busy: int) -> None:
    """Run the demo many times: a line for each, and a summary; 0 only if none was red."""
    from beistand_lab.demo import often

    name = "demo-often" if options.name == "lab" else options.name
    sys.exit(often.tell_often((name, options.subnet), click.echo, times=times, busy=busy))


@cli.command()
@click.pass_obj
def pages(options: Options) -> None:
    """Open both appliances' pages to a browser on this machine, with a setup code for each."""
    from beistand_lab import doors

    lab = options.lab()
    options.tell(doors.how_to_look(lab), pages=doors.open_doors(lab))


@cli.command("down")
@click.pass_obj
def down_(options: Options) -> None:
    """Take everything away, also what a killed lab left behind."""
    down(options.name)
    options.tell(f"lab {options.name} is gone", name=options.name)


@cli.command()
@click.argument("host", type=_APPLIANCE)
@click.pass_obj
def on(options: Options, host: str) -> None:
    """Switch an appliance on; waits until its sshd answers."""
    begin = time.monotonic()
    options.lab().on(host)
    seconds = round(time.monotonic() - begin, 2)
    options.tell(f"{host} is up after {seconds} s", host=host, seconds=seconds)


@cli.command()
@click.argument("host", type=_APPLIANCE)
@click.pass_obj
def off(options: Options, host: str) -> None:
    """Pull an appliance's power cord."""
    options.lab().off(host)
    options.tell(f"{host} has no power", host=host)


@cli.command()
@click.argument("host", type=_CABLE)
@click.pass_obj
def cut(options: Options, host: str) -> None:
    """Pull a host's network cable."""
    options.lab().cut(host)
    options.tell(f"{host} has no network", host=host)


@cli.command()
@click.argument("host", type=_CABLE)
@click.pass_obj
def heal(options: Options, host: str) -> None:
    """Plug a host's network cable in again."""
    options.lab().heal(host)
    options.tell(f"{host} has network again", host=host)


@cli.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("host", type=_HOST)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def sh(options: Options, host: str, command: tuple[str, ...]) -> None:
    """Run a command on a host as root; a shell without one."""
    line = options.lab().command_line(host, list(command) or ["bash"])
    if not options.as_json:
        sys.stdout.flush()
        os.execvp(line[0], line)  # noqa: S606  # this process becomes the command, with its terminal
    done = options.lab().sh(host, list(command), check=False, timeout=3600)
    options.tell("", exit=done.returncode, output=done.stdout, errors=done.stderr)
    raise SystemExit(done.returncode)


@cli.command()
@click.argument("number", type=click.Choice([str(number) for number in PHONES]))
@click.argument("action", type=click.Choice(["register", "dial", "answer", "hangup", "status", "stop"]))
@click.argument("target", required=False)
@click.option("--transport", type=click.Choice(["udp", "tcp"]), default="udp", show_default=True)
@click.option("--interval", default=60, show_default=True, help="Seconds between registrations.")
@click.option("--answer", "answer", type=click.Choice(["auto", "manual"]), default="auto", show_default=True)
@click.pass_obj
def phone(options: Options, /, number: str, action: str, target: str | None, **how: Any) -> None:
    """Use a phone; register switches it on, dial needs a TARGET."""
    one = options.lab().phone(int(number))
    match action:
        case "register":
            one.register(**how)
        case "dial" if target:
            if not one.is_running():
                one.register(**how)
            one.dial(target)
        case "dial":
            raise LabError("whom?", f"beistand-lab phone {number} dial 102")
        case "answer":
            one.answer()
        case "hangup":
            one.hangup()
        case "stop":
            one.stop()
    status = one.status()
    registered = "registered" if status.registered else "not registered" if status.running else "off"
    call = f"{status.call} {status.call_peer}".strip()
    options.tell(f"phone {number}: {registered}, {call}", **dataclasses.asdict(status))


@cli.command()
@click.argument("what", type=click.Choice(["start", "stop", "show"]), default="show")
@click.pass_obj
def capture(options: Options, what: str) -> None:
    """Frames at the switch: start and stop mark the part that show tells about."""
    lab = options.lab()
    marks = lab.settings.folder / "marks.json"
    begin, end = json.loads(marks.read_text()) if marks.exists() else (0, 9e9)
    if what == "start":
        begin, end = time.time(), 9e9
    elif what == "stop":
        end = time.time()
    if what != "show":
        marks.write_text(json.dumps([begin, end]))
        options.tell(f"marked; all frames are in {lab.settings.capture_file}", begin=begin, end=end)
        return
    claims = lab.capture.arp_claims(lab.settings.service_address, begin)
    claims = [claim for claim in claims if claim.time <= end]
    messages = lab.capture.sip_messages(begin, end)
    frames = len(lab.capture.frames(begin, end))
    lines = [f"{frames} frames in {lab.settings.capture_file}"]
    lines += [f"{claim.time:.3f} ARP {claim.kind}: service address is at {claim.mac}" for claim in claims]
    lines += [f"{m.time:.3f} SIP {m.source} > {m.destination} {m.method} {m.status or ''}" for m in messages]
    options.tell(
        "\n".join(lines),
        file=str(lab.settings.capture_file),
        frames=frames,
        arp_claims=[dataclasses.asdict(claim) for claim in claims],
        sip_messages=[dataclasses.asdict(message) for message in messages],
    )


@cli.command()
@click.pass_obj
def mails(options: Options) -> None:
    """What the mail host has received."""
    found = options.lab().mails()
    lines = [f"{mail.time:.3f} {', '.join(mail.recipients)}: {mail.subject}" for mail in found]
    options.tell("\n".join(lines) or "no mails", mails=[dataclasses.asdict(mail) for mail in found])


@cli.command()
@click.pass_obj
def status(options: Options) -> None:
    """What is on, who is registered, which processes run."""
    lab = options.lab()
    hosts = {host: lab.is_on(host) for host in APPLIANCES}
    phones = [lab.phone(number).status() for number in PHONES]
    count = len(control_groups.processes(control_groups.group_name(options.name)))
    lines = [f"lab {options.name}, {lab.settings.subnet}, {count} processes, folder {lab.settings.folder}"]
    lines += [
        f"{host} {lab.settings.address(host)} {'on' if is_on else 'off'}" for host, is_on in hosts.items()
    ]
    lines += [f"phone {p.number} {'registered' if p.registered else '-'} {p.call}" for p in phones]
    options.tell(
        "\n".join(lines),
        settings=dataclasses.asdict(lab.settings),
        hosts=hosts,
        phones=[dataclasses.asdict(one) for one in phones],
        processes=count,
    )


def main() -> None:
    """Entry point: an expected failure is one line and a hint, exit 1."""
    try:
        if os.geteuid() != 0 and not {"-h", "--help"} & set(sys.argv):
            raise LabError("the lab needs root, for namespaces and mounts", "run it as root")
        cli()
    except LabError as error:
        click.echo(str(error), err=True)
        if error.hint:
            click.echo(f"HINT: {error.hint}", err=True)
        raise SystemExit(1) from None
    except OSError as error:  # a full disk, a limit of this machine: nothing that the lab could know better
        click.echo(f"{error.strerror or error}: {error.filename or 'no file'}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
