"""Lines of the audit log as sentences: what somebody did, or why it was refused."""

from beistand.domain.message import Message
from beistand.text.catalogue import sentence, term

PREFIX = "audit."
"""Of the codes; the rest is the tag of the request."""
REFUSED = "refused"
"""Field: the code of what was answered instead; its own fields stand beside."""
TIMES, UNTIL = "times", "until"
"""Fields of a line that stands for many: how often it was, and when the last time was."""


def audited(what: Message, language: str) -> str:
    """Return the line: `takeover`, or `takeover – refused: the password is missing`."""
    act = sentence(Message(code=what.code, fields=what.fields), language)
    often = {name: what.fields[name] for name in (TIMES, UNTIL) if name in what.fields}
    if REFUSED not in what.fields:
        return term("audit.often", language, act=act, **often) if often else act
    why = sentence(Message(code=str(what.fields[REFUSED]), fields=what.fields), language)
    code = "audit.refused-often" if often else "audit.refused"
    return term(code, language, act=act, why=why, **often)
