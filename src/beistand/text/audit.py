"""Lines of the audit log as sentences: what somebody did, or why it was refused."""

from beistand.domain.message import Message
from beistand.text.catalogue import sentence, term

PREFIX = "audit."
"""Of the codes; the rest is the tag of the request."""
REFUSED = "refused"
"""Field: the code of what was answered instead; its own fields stand beside."""


def audited(what: Message, language: str) -> str:
    """Return the line: `takeover`, or `takeover – refused: the password is missing`."""
    act = sentence(Message(code=what.code, fields=what.fields), language)
    if REFUSED not in what.fields:
        return act
    why = sentence(Message(code=str(what.fields[REFUSED]), fields=what.fields), language)
    return term("audit.refused", language, act=act, why=why)
