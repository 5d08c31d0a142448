"""How old the libraries are that Beistand runs with: newer ones close the holes that are found in them later."""

from datetime import date

from beistand.domain.finding import Finding, Severity

OLD_DAYS = 180
"""After half a year one of them had a security release, by experience of Django's and cryptography's own lists."""
_MARK = "# resolved: "


def locked_on(lock: str) -> str:
    """Return the day on which this lock list was written, ISO 8601; empty: it names none."""
    for line in lock.splitlines():
        if line.startswith(_MARK):
            try:
                return date.fromisoformat(line.removeprefix(_MARK).strip()).isoformat()
            except ValueError:
                return ""
    return ""


def library_findings(locked: str, today: date) -> tuple[Finding, ...]:
    """Return what a person should know of the libraries' age; empty: they came without a list, and nobody knows."""
    if not locked:
        return ()
    days = (today - date.fromisoformat(locked)).days
    if days <= OLD_DAYS:
        return ()
    return (Finding(code="libraries-old", severity=Severity.WARN, fields={"days": days, "day": locked}),)
