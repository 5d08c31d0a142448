"""What a mail address is here, the same wherever one is typed and wherever a mail goes to one."""

import re

LONGEST_ADDRESS = 254
"""RFC 5321 section 4.5.3.1.3, without the angle brackets."""
LONGEST_NAME = 64
"""What stands before the @ (RFC 5321 section 4.5.3.1.1)."""
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+")
"""`atext` of RFC 5322 section 3.2.3: what stands between two dots."""
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
"""A label of a host name. With underscores, which some houses have in theirs."""
_LITERAL = re.compile(r"\[[0-9]{1,3}(\.[0-9]{1,3}){3}\]")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_ENCODED_WORD = "=?"
"""Begins an encoded word (RFC 2047): a mail library takes it for one instead of for the name."""


def is_mail_address(text: str) -> bool:
    """Tell whether this is one address that a mail can be built for and every mail server can be handed.

    That is a dot-atom of RFC 5322 section 3.4.1 before and after the @, in ASCII: no quoted names, no accents.
    What this takes, `adapters/mail_form.py` builds; a test holds the two together.
    Whether the address exists, only a mail can tell.
    """
    if len(text) > LONGEST_ADDRESS or not text.isascii() or _ENCODED_WORD in text:
        return False
    name, at, domain = text.rpartition("@")
    if not at or len(name) > LONGEST_NAME:
        return False
    is_name = all(_NAME.fullmatch(each) for each in name.split("."))
    return is_name and (
        _LITERAL.fullmatch(domain) is not None or all(_LABEL.fullmatch(each) for each in domain.split("."))
    )


def is_mail_host(text: str) -> bool:
    """Tell whether this can be the name or the address of a mail server."""
    return _HOST.fullmatch(text) is not None
