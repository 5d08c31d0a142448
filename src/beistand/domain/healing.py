"""After a broken line: when to look for the peer, and whose claim of the service address is believed."""

from beistand.domain.pair import Greeting
from beistand.domain.role import Standing

SILENT_SECONDS = 3.0
"""Without a word for so long, the peer is looked for by ARP: greetings are two seconds apart."""


def peer_knows_our_grant(standing: Standing, last: Greeting | None) -> bool:
    """Tell whether a claim of the peer can only mean that it was granted a higher number than ours.

    What it said last, however long ago, named our grant or a later one: it would not claim below that (I9).
    Where it never heard of our grant, its claim is that of a server who has not been told yet.
    """
    return last is not None and last.grant is not None and standing.epoch <= last.grant.epoch
