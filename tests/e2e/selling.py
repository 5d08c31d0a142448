"""Somebody who sells licences, and what the page of licences shows of both sets."""

from __future__ import annotations

from beistand_lab.browser import Browser
from beistand_lab.lab import Lab

SELLERS = "/etc/beistand/sellers.d"
SOLD = ("--server", "--users", "25", "--module", "redundancy", "--redundancy", "--holder", "Praxis")


def issued(lab: Lab) -> str:
    """A signed file with both sets; no appliance knows the seller yet."""
    lab.sh("a", ["beistand", "licence", "keygen", "acme", "--folder", "/root"])
    return lab.sh("a", ["beistand", "licence", "issue", "--signing-key", "/root/acme.key", *SOLD]).stdout


def trust(lab: Lab) -> None:
    """Both appliances take what this seller has signed."""
    public = lab.read("a", "/root/acme.pub").decode()
    for host in ("a", "b"):
        lab.sh(host, ["sh", "-c", f"mkdir -p {SELLERS} && cat > {SELLERS}/acme.pub"], input=public)


def shown_keys(browser: Browser) -> list[list[str]]:
    """The keys of this side and of the other, on the page of licences."""
    sides = browser.find(".cards").find_elements("css selector", ".card")
    return [sorted(each.text for each in side.find_elements("css selector", "code")) for side in sides]
