"""A clone of an appliance on the switch: its disk copied, another card, and what whoever cloned it changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from beistand_lab import appliance, commands, disk, network_managers
from beistand_lab.errors import LabError
from beistand_lab.lab import Lab
from beistand_lab.settings import SPARE

UP_SECONDS = 60.0


@contextmanager
def cloned(lab: Lab, source: str, *, own_address: bool = True) -> Iterator[str]:
    """The spare machine, booted from a copy of another one's disk; it is gone afterwards, disk and all.

    Its host name is another one, and with `own_address` its own address is, too, as the network file says it;
    the installation still names the original's.
    """
    settings = lab.settings
    root = disk.clone(settings, source, SPARE)
    (root / "etc/hostname").write_text(f"pbx-{SPARE}\n")
    if own_address:
        file = root / network_managers.file_of(settings.manager_of(source)).lstrip("/")
        file.write_text(
            file.read_text().replace(f"{settings.address(source)}/", f"{settings.address(SPARE)}/")
        )
    appliance.switch_on(settings, SPARE)
    try:
        yield SPARE
    finally:
        with suppress(LabError):
            appliance.switch_off(settings, SPARE)
        top = root.parent
        for mount in (root / "usr", root / "etc", top):
            commands.run(["umount", "--lazy", str(mount)], check=False)
