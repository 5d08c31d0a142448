"""Hold the service addresses and give them up, with the kernel's gate: shut before they go, open once they are there.

Power or the agent may end between any two effects. In either order what stands here by then says nothing.
"""

from beistand.ports.node import Node


def hold(node: Node) -> bool:
    """Add what is missing, then let it speak; return whether anything changed.

    Only under a grant, and in one moment with the question whether it still is ours. Raises Failed
    `address-not-added`, `gate-not-opened`.
    """
    added = node.addresses.hold(node.installation)
    return node.address_gate.let_speak() or added


def drop(node: Node) -> bool:
    """Shut the gate, then take every service address away, whoever brought it; return whether anything changed.

    Raises Failed `address-not-removed`, or `routes-not-restored`: the address is gone all the same.
    """
    shut = node.address_gate.silence(node.installation)
    return node.addresses.drop(node.installation) or shut
