"""What a mail address is here, the same wherever one is typed and wherever a mail goes to one."""

import re

LONGEST_ADDRESS = 254
"""RFC 5321 section 4.5.3.1.3, without the angle brackets."""
_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+")


def is_mail_address(text: str) -> bool:
    """Tell whether this is one address that every mail server can be handed: ASCII without quotes.

    Whether it exists, only a mail can tell.
    """
    return (
        text.isascii()
        and text.isprintable()
        and len(text) <= LONGEST_ADDRESS
        and '"' not in text
        and _ADDRESS.fullmatch(text) is not None
    )
