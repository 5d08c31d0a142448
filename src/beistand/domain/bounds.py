"""The bounds of what crosses the pair's channel or is stored: generous for real life, small against a memory.

What a person may type has narrower bounds of its own, with a sentence for each; these are what no honest appliance
ever reaches. JSON itself knows no number that is none.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

Word = Annotated[str, Meta(max_length=1_000)]
"""A name, a key, a version, a digest."""
PathText = Annotated[str, Meta(max_length=16_384)]
"""A path; each byte of it may be four characters."""
LongText = Annotated[str, Meta(max_length=100_000)]
"""What somebody wrote, a host key, an output of a program."""
Count = Annotated[int, Meta(ge=0, le=2**60)]
"""Things, bytes, revisions: one more of any is a number of SQLite still."""
Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""Any number of a message; those of JSON end there."""
Seconds = Annotated[float, Meta(ge=0, le=1e12)]
Number = Annotated[float, Meta(ge=-1e300, le=1e300)]
Moment = Annotated[datetime, Meta(tz=True)]
"""Never without its zone: two of which one has none cannot be compared. Years: `beistand.domain.words`."""
FEW = Meta(max_length=1_000)
MANY = Meta(max_length=20_000)
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
InterfaceAddress = Annotated[
    str, Meta(max_length=18, pattern=rf"\A({_OCTET}\.){{3}}{_OCTET}/(3[0-2]|[12]?[0-9])\Z")
]
"""An IPv4 address with its prefix length, as `ipaddress.IPv4Interface` takes it."""
