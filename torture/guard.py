"""The service address comes where it may not be (F19, F33): under every network manager, in every way, and at a boot.

What the guard takes out of files is one part; what the gate keeps silent, without any guard, is the other.
"""

from beistand_lab.lab import Lab
from e2e import gating, guarding
from torture.labs import lab
from torture.run import Run

PAIRS = ("systemd-networkd,ifupdown", "networkmanager,netplan", "netplan-nm,ifupdown")


def campaign(run: Run) -> None:
    """Two appliances with two managers in each lab; each one is looked at by itself."""
    seen: set[str] = set()
    for managers in PAIRS:
        with lab("guard", manager=managers) as booted:
            for host, manager in zip("ab", managers.split(","), strict=True):
                if manager not in seen:
                    seen.add(manager)
                    _every_way(run, booted, host, manager)


def _every_way(run: Run, booted: Lab, host: str, manager: str) -> None:
    administrator = guarding.stand_by(booted, host)
    for way in guarding.WAYS:
        with run.case(f"{manager}: {way}"):
            run.injected()
            guarding.boot_with(booted, administrator, host, way)
            run.recovered()
    with run.case(f"{manager}: told before the boot"):
        run.injected()
        guarding.tell_before(booted, administrator, host)
        run.recovered()
    place = gating.Place(booted, administrator, host)
    for way in gating.WAYS:
        with run.case(f"{manager}: {way}"):
            run.injected()
            gating.brought(place, way)
            run.recovered()
    with run.case(f"{manager}: a machine without nftables"):
        run.injected()
        gating.without_nftables(place)
        run.recovered()
    if manager == "ifupdown":
        with run.case(f"{manager}: a command that cannot be read"):
            run.injected()
            guarding.let_pass(booted, administrator, host)
            run.recovered()
    more = gating.IFUPDOWN_BOOTS if manager == "ifupdown" else {}
    for way in {**gating.BOOTS, **more}:
        with run.case(f"{manager}: no guard, {way}"):
            run.injected()
            gating.boots_with(place, way)
            run.recovered()
