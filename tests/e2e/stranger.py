"""A hostile computer in the network of the appliances (F17): what it tries at port 8443, and what it is told.

Standard input says where; a JSON object of what came of each try goes to standard output.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import sys
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse, HTTPSConnection
from http.cookies import SimpleCookie
from typing import Any

PORT = 8443
LOG_IN = "/log-in/"
SESSION, CSRF = "__Host-session", "__Host-csrf"
PATIENCE_SECONDS = 30.0


class Visitor:
    """A program with cookies, in place of a browser that would refuse half of this."""

    def __init__(self, address: str, cookies: dict[str, str] | None = None) -> None:
        self.address = address
        self.cookies = dict(cookies or {})

    def ask(self, path: str, form: dict[str, str] | None = None, **headers: str) -> tuple[HTTPResponse, str]:
        line = HTTPSConnection(self.address, PORT, context=context(), timeout=PATIENCE_SECONDS)
        sent = {"Accept-Language": "en", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode(form)
        line.request("GET" if form is None else "POST", path, body, sent)
        answer = line.getresponse()
        text = answer.read().decode()
        line.close()
        for each in answer.headers.get_all("Set-Cookie") or []:
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(each).items()}
        return answer, text

    def token(self, path: str = LOG_IN) -> str:
        """What a form of this site carries with it."""
        _, page = self.ask(path)
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        return found[1] if found else ""

    def log_in(self, name: str, password: str) -> tuple[HTTPResponse, str]:
        form = {"csrfmiddlewaretoken": self.token(), "name": name, "password": password}
        return self.ask(LOG_IN, form, Origin=f"https://{self.address}:{PORT}")


def main() -> None:
    wanted: dict[str, Any] = json.load(sys.stdin)
    tries = {"doors": doors, "pages": pages, "guesses": guesses}
    json.dump(tries[wanted["what"]](wanted), sys.stdout)


def doors(wanted: dict[str, Any]) -> dict[str, Any]:
    """What is no HTTPS of today."""
    address = wanted["address"]
    begin = time.monotonic()
    with socket.create_connection((address, PORT), timeout=PATIENCE_SECONDS) as plain:
        plain.sendall(f"GET / HTTP/1.1\r\nHost: {address}:{PORT}\r\n\r\n".encode())
        try:
            answer = plain.recv(1000)
        except ConnectionError:
            answer = b""
    seconds = time.monotonic() - begin
    versions = {each.name: _greeted(address, each) for each in ssl.TLSVersion if each.value > 0}
    return {"plain": answer.decode("latin-1"), "plain-seconds": seconds, "versions": versions}


def _greeted(address: str, version: ssl.TLSVersion) -> str:
    """Version that was agreed upon, or who said no."""
    asking = context()
    asking.set_ciphers("ALL:@SECLEVEL=0")  # else this side refuses old versions by itself
    try:
        asking.minimum_version = asking.maximum_version = version
        with (
            socket.create_connection((address, PORT), timeout=PATIENCE_SECONDS) as line,
            asking.wrap_socket(line) as safe,
        ):
            return str(safe.version())
    except ssl.SSLError as refusal:
        return str(refusal.reason)


def pages(wanted: dict[str, Any]) -> dict[str, Any]:
    """What a page of another site, or another name for this one, would send."""
    address, name, password = wanted["address"], wanted["name"], wanted["password"]
    own = f"https://{address}:{PORT}"
    told: dict[str, Any] = {}
    for host in (f"evil.example:{PORT}", "evil.example", f"192.0.2.99:{PORT}"):
        answer, page = Visitor(address).ask("/log-in/", Host=host)
        told[f"host {host}"] = [answer.status, "password" in page]
    answer, _ = Visitor(address).ask(LOG_IN)
    told["headers"] = dict(answer.headers.items())
    told["cookies"] = answer.headers.get_all("Set-Cookie")
    right = {"name": name, "password": password}
    hostile: dict[str, dict[str, str]] = {
        "no token": {"Origin": own},
        "another origin": {"Origin": "https://evil.example"},
        "another referer": {"Referer": "https://evil.example/page"},
        "neither": {},
    }
    for what, headers in hostile.items():
        visitor = Visitor(address)
        form = dict(right)
        if what != "no token":
            form["csrfmiddlewaretoken"] = visitor.token()
        answer, _ = visitor.ask(LOG_IN, form, **headers)
        told[what] = [answer.status, SESSION in visitor.cookies]
    stranger = Visitor(address)
    stranger.log_in(name, password)
    planted = dict(stranger.cookies)
    stranger.ask("/log-out/", {"csrfmiddlewaretoken": stranger.token("/password/")}, Origin=own)
    victim = Visitor(address, planted)
    answer, _ = victim.log_in(name, password)
    is_new = [victim.cookies[each] != planted[each] for each in (SESSION, CSRF)]
    told["fixation"] = [answer.status, *is_new]
    for who, cookies in (("stranger", planted), ("victim", victim.cookies)):
        answer, _ = Visitor(address, cookies).ask("/accounts/")
        told[f"session of the {who}"] = answer.status
    return told


def guesses(wanted: dict[str, Any]) -> list[list[Any]]:
    """Ten wrong passwords, one more, and the right one."""

    def told(password: str) -> list[Any]:
        answer, page = Visitor(wanted["address"]).log_in(wanted["name"], password)
        found = re.search(r'class="told told-failed".*?</div>', page, re.DOTALL)
        said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0])) if found else ""
        return [answer.status, said.strip()]

    # Together: one by one they may take longer than the minute for which the first of them counts.
    with ThreadPoolExecutor(10) as pool:
        wrong = list(pool.map(told, (f"guess number {number}" for number in range(10))))
    return [*wrong, told("guess number 10"), told(wanted["password"])]


def context() -> ssl.SSLContext:
    made = ssl.create_default_context()
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


if __name__ == "__main__":
    main()
