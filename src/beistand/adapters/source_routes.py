"""Which address the machine's own packets carry: the service address becomes `src` of its routes, and back."""

import errno
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from beistand.adapters.routes import DEFAULT, ONLINK, Route, delete_route, prefers, read_routes, set_route

SPARE_METRIC = 0xFFFFFF00
"""Of the default route that stands in for one that was taken away: nobody else's is that bad.

With the metric of the one that is gone, `ip route add` of ifupdown would find it there, and ifup fail.
"""
SPARE_SECONDS = 10.0
"""After so long no network manager is about to put its own one there: then it stands as it was."""
_NOT_NOW = frozenset({errno.ENETDOWN, errno.ENETUNREACH, errno.EINVAL, errno.ENODEV})
"""What the kernel says of a route while its link is down or its gateway out of reach."""


class SourceRoutes:
    """Remembers the routes as they were in a file that no boot survives, like the routes themselves."""

    def __init__(self, before: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._file = before
        self._monotonic = monotonic
        self._spare_since: dict[int, float] = {}
        """When the stand-in of each device was first seen."""

    def prefer(self, netlink: IPRoute, device: int, address: str) -> bool:
        """Let the connected and the default route prefer the address; put back what a network manager lost.

        What cannot be put back while the link is down is left to the next change. Return whether anything
        changed.
        """
        before = self._remembered()
        found = [each for each in read_routes(netlink, device) if prefers(each, address)]
        current = [each for each in found if each.metric != SPARE_METRIC]
        spares = [each for each in found if each.metric == SPARE_METRIC]
        lost = [
            each
            for each in before
            if each.device == device and prefers(each, address) and not _replaced(each, current)
        ]
        changing = [each for each in current if each.source != address]
        if changing or lost:
            self._remember(_kept(before, device, current, changing, lost) + changing)
        # The connected route first: a gateway is reachable only through it.
        ours = {each.key: each for each in current if each.source == address}
        changed = False
        for route in sorted(changing, key=_is_default):
            # A restarted network manager puts a double beside ours, and "replace" would find ours.
            if double := ours.pop(route.key, None):
                delete_route(netlink, double)
            set_route(netlink, route.with_source(address))
            changed = True
        is_over = self._is_over(device, bool(spares))
        stand_ins = sorted(lost, key=_is_default) if is_over else _stand_ins(lost, spares)
        for route in stand_ins:
            changed |= _put_back(netlink, route.with_source(address))
        if is_over or not any(_is_default(each) for each in lost):
            for route in spares:
                delete_route(netlink, route)
                changed = True
        return changed

    def restore(
        self, netlink: IPRoute, devices: Iterable[int], ours: set[str], *, own_ip: str, stays: bool
    ) -> bool:
        """Put the routes of these devices back as they were before `prefer`, and forget them.

        `stays`: an address of `ours` remains, from a network file; the kernel's own route of it remains, too.
        """
        before = self._remembered()
        changed = False
        for device in devices:
            known = {each.key: each for each in before if each.device == device}
            found = read_routes(netlink, device)
            current = [each for each in found if each.metric != SPARE_METRIC]
            theirs = {each.key for each in current if each.source not in ours}
            for route in (each for each in current if each.source in ours):
                if stays and route.to != DEFAULT:
                    continue  # of an address that stays the kernel itself makes its network's route so
                if route.key in theirs:
                    delete_route(netlink, route)
                else:
                    plain = route.with_source("" if route.to == DEFAULT else own_ip)
                    # Not where the own address is gone: who brings it back brings its routes, too.
                    _put_back(netlink, known.get(route.key) or plain)
                changed = True
            lost = [each for each in known.values() if not _replaced(each, current)]
            for route in sorted(lost, key=_is_default):
                if _is_default(route) or not stays:
                    changed |= _put_back(netlink, route)
            for route in found:
                if route.metric == SPARE_METRIC:
                    delete_route(netlink, route)
                    changed = True
        self._file.unlink(missing_ok=True)
        return changed

    def _is_over(self, device: int, is_there: bool) -> bool:
        """Tell whether a stand-in stands there for so long that nobody will bring another route."""
        if not is_there:
            self._spare_since.pop(device, None)
            return False
        now = self._monotonic()
        return now - self._spare_since.setdefault(device, now) >= SPARE_SECONDS

    def _remembered(self) -> list[Route]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=list[Route])
        except (FileNotFoundError, msgspec.DecodeError):
            return []

    def _remember(self, routes: list[Route]) -> None:
        # Not durable on purpose: a boot forgets the routes, too.
        text = msgspec.json.encode(routes)
        beside = self._file.with_suffix(".new")
        self._file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(text)
        beside.rename(self._file)


def _kept(
    before: list[Route], device: int, current: list[Route], changing: list[Route], lost: list[Route]
) -> list[Route]:
    """What was remembered and still counts: of other devices, of routes that are there, and of lost ones."""
    new = {each.key for each in changing}
    present = {each.key for each in current}
    return [
        each
        for each in before
        if each.device != device or (each.key not in new and (each.key in present or each in lost))
    ]


def _stand_ins(lost: list[Route], spares: list[Route]) -> list[Route]:
    """What to put where routes were lost: connected ones as they were, one spare default route."""
    found = [each for each in lost if not _is_default(each)]
    defaults = sorted((each for each in lost if _is_default(each)), key=lambda each: each.metric)
    if defaults and not spares:
        spare = msgspec.structs.replace(defaults[0], metric=SPARE_METRIC, flags=defaults[0].flags | ONLINK)
        found.append(spare)
    return found


def _put_back(netlink: IPRoute, route: Route) -> bool:
    try:
        set_route(netlink, route)
    except NetlinkError as error:
        if error.code not in _NOT_NOW:
            raise
        return False
    return True


def _is_default(route: Route) -> bool:
    return route.to == DEFAULT


def _replaced(route: Route, current: list[Route]) -> bool:
    """Tell whether there is such a route now, or one to the same place that somebody put instead."""
    return any(each.key == route.key or each.to == route.to for each in current)
