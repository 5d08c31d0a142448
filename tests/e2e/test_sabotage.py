"""The demo is red when a part of the product is broken on purpose: its observers do see."""

from collections.abc import Callable

import pytest

from beistand_lab.demo import story
from beistand_lab.demo.teller import Teller
from beistand_lab.lab import Lab, down
from e2e.conftest import require_root

pytestmark = pytest.mark.lab

INSTALLED = "/opt/beistand/lib/python3.11/site-packages/beistand"
WITHOUT_ASTDB = """
import tomllib, tomli_w
from pathlib import Path
shipped = Path("{installed}/profiles/asterisk.toml")
profile = tomllib.loads(shipped.read_text())
profile["databases"] = [each for each in profile["databases"] if "astdb" not in each["name"]]
folder = Path("/etc/beistand/profile.d")
folder.mkdir(exist_ok=True)
(folder / "asterisk.toml").write_text(tomli_w.dumps(profile))
"""


def break_the_import_of_astdb(lab: Lab) -> None:
    for host in ("a", "b"):
        script = WITHOUT_ASTDB.format(installed=INSTALLED)
        lab.sh(host, ["/opt/beistand/bin/python", "-c", script])


def break_the_announcement(lab: Lab) -> None:
    _append(
        lab,
        "adapters/arp.py",
        "RawArp.announce, RawArp.tell\nRawArp.announce = RawArp.tell = lambda *_: None\n",
    )


def break_the_source_route(lab: Lab) -> None:
    _append(
        lab,
        "adapters/source_routes.py",
        "SourceRoutes.prefer\nSourceRoutes.prefer = lambda *_, **__: False\n",
    )


def _append(lab: Lab, module: str, code: str) -> None:
    """On the standby only: what breaks is the takeover, not the story before it.

    The code names first what it breaks: where that has moved, the agent does not even start.
    """
    lab.sh("b", ["sh", "-c", f"cat >> {INSTALLED}/{module}"], input=code)
    lab.sh("b", ["systemctl", "restart", "beistand-agent"])


@pytest.mark.parametrize(
    ("sabotage", "seen"),
    [
        (break_the_import_of_astdb, {"forward_survived"}),
        (break_the_announcement, {"announced"}),
        (break_the_source_route, {"took_over"}),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_the_demo_is_red_when_a_part_is_broken(
    sabotage: Callable[[Lab], None], seen: set[str], lab_place: tuple[str, str]
) -> None:
    """S3: a broken part is seen by the observers, not reported by Beistand."""
    require_root()
    name, subnet = lab_place
    down(name)
    try:
        lab = Lab.up(name, subnet)
        sabotage(lab)
        teller = Teller(say=print)
        story.play_shortly(lab, teller)
    finally:
        down(name)
    assert seen & set(teller.failed), teller.failed
