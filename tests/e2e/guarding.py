"""The service address in a network file at a boot: what the guard does about it, seen from outside.

The same scenes run in the tests and in torture, under every network manager.
"""

from __future__ import annotations

import time
from typing import Any

from beistand_lab import appliance, network_managers
from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import booting, switching
from e2e.booting import claiming_frames, everybody_asks

QUIET_SECONDS = 2.0
GUARD = ["systemctl", "show", "beistand-guard", "--value", "-p", "Result,ActiveState"]


def stand_by(lab: Lab, host: str) -> Administrator:
    """An appliance that must never claim the service address: it has no grant."""
    switching.wait_for_agent(lab, host)
    administrator = Administrator(lab)
    settings = lab.settings
    addresses = ["--address", f"{settings.address(host)}/24", "--service-address", settings.service_address]
    done = administrator.run(host, "init", "--standby", "--interface", "eth0", *addresses)
    assert done.returncode == 0, done.stderr
    return administrator


def file_of(lab: Lab, host: str) -> str:
    return network_managers.file_of(lab.settings.manager_of(host))


def beside(lab: Lab, host: str) -> None:
    """By hand, beside the own address."""
    booting.put_into_network_file(lab, host)


def instead(lab: Lab, host: str) -> None:
    """An old copy of the file came back, from before `beistand setup`: the own address stands nowhere."""
    own, service = f"{lab.settings.address(host)}/24", f"{lab.settings.service_address}/24"
    before = lab.read(host, file_of(lab, host)).decode()
    assert before.count(own) == 1
    lab.copy_in(host, file_of(lab, host), before.replace(own, service))


def wider(lab: Lab, host: str) -> None:
    """With another mask, in another place of the file."""
    beside(lab, host)
    service = lab.settings.service_address
    text = lab.read(host, file_of(lab, host)).decode()
    lab.copy_in(host, file_of(lab, host), text.replace(f"{service}/24", f"{service}/16"))


WAYS = {"beside the own address": beside, "in place of the own address": instead, "with a wider mask": wider}


def boot_with(lab: Lab, administrator: Administrator, host: str, way: str) -> None:
    """Boot with the address in the file: not one frame claims it, the machine has its network, people are told."""
    path = file_of(lab, host)
    right = lab.read(host, path)
    appliance.switch_off(lab.settings, host)
    WAYS[way](lab, host)
    wrong = lab.read(host, path)
    with everybody_asks(lab):
        begin = time.time()
        appliance.switch_on(lab.settings, host)
        appliance.wait_until_up(lab.settings, host)
        switching.wait_for_agent(lab, host)
        found = finding(administrator, host, "service-address-held-back")
        switching.wait_quietly(time.time() + QUIET_SECONDS)
    assert [each.data.hex() for each in claiming_frames(lab, host, begin)] == []
    assert found["fields"]["path"] == path
    assert lab.read(host, found["fields"]["kept"]) == wrong
    assert lab.settings.service_address not in lab.read(host, path).decode()
    if way == "in place of the own address":
        assert lab.read(host, path) == right
    assert lab.sh(host, GUARD).stdout.split() == ["success", "active"]


def tell_before(lab: Lab, administrator: Administrator, host: str) -> None:
    """The address comes into the file of a running appliance: told long before the boot at which it matters."""
    right = lab.read(host, file_of(lab, host))
    beside(lab, host)
    try:
        found = finding(administrator, host, "service-address-in-network-file")
        line = lab.read(host, file_of(lab, host)).decode().splitlines()[int(found["fields"]["line"]) - 1]
        assert lab.settings.service_address in line
    finally:
        lab.copy_in(host, file_of(lab, host), right)
    wait_for(
        lambda: "service-address-in-network-file" not in codes(administrator, host),
        switching.SOON_SECONDS,
        f"the end of the finding on {host}",
    )


def let_pass(lab: Lab, administrator: Administrator, host: str) -> None:
    """A file that nobody could read with certainty: the machine boots with its network, and it is told loudly."""
    path = file_of(lab, host)
    right = lab.read(host, path)
    appliance.switch_off(lab.settings, host)
    text = right.decode()
    own, service = lab.settings.address(host), lab.settings.service_address
    lab.copy_in(host, path, f"{text}\tup ip address add {service}/32 dev eth0 && true\n")
    appliance.switch_on(lab.settings, host)
    appliance.wait_until_up(lab.settings, host)
    switching.wait_for_agent(lab, host)
    found = finding(administrator, host, "service-address-let-pass")
    assert found["severity"] == "block"
    assert found["fields"]["path"] == path
    # What the guard could not do, the agent does as soon as it runs.
    wait_for(
        lambda: not switching.has_address(lab, host), switching.SOON_SECONDS, f"the address to leave {host}"
    )
    assert own in lab.read(host, path).decode()
    lab.copy_in(host, path, right)


def finding(administrator: Administrator, host: str, code: str) -> dict[str, Any]:
    """Wait until the status tells it; return it."""
    found: list[dict[str, Any]] = []

    def is_told() -> bool:
        found[:] = [each for each in administrator.status(host)["findings"] if each["code"] == code]
        return bool(found)

    wait_for(is_told, switching.SOON_SECONDS, f"the finding {code} on {host}")
    return found[0]


def codes(administrator: Administrator, host: str) -> set[str]:
    return {each["code"] for each in administrator.status(host)["findings"]}
