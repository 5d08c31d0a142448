"""The menu: one table. An entry is a page's url name, the code of its title, and who sees it."""

from dataclasses import dataclass

from django.urls import reverse

from beistand.web.asking import Request, is_administrator


@dataclass(frozen=True, kw_only=True)
class Entry:
    page: str
    """Name in urls.py."""
    title: str
    group: str = ""
    """Code of the heading that it stands under."""
    is_for_administrators: bool = False
    below: str = ""
    """Paths that begin so belong to it too; empty: only its own."""


MENU = (
    Entry(page="overview", title="web.menu.overview"),
    Entry(page="module", title="web.menu.module"),
    Entry(page="backups", title="web.menu.backups"),
    Entry(page="licences", title="web.menu.licences"),
    Entry(page="mail", title="web.menu.mail"),
    Entry(page="network", title="web.menu.network"),
    Entry(page="update", title="web.menu.update"),
    Entry(page="logs", title="web.menu.logs"),
    Entry(page="accounts", title="web.menu.accounts", is_for_administrators=True),
    Entry(page="takeover", title="web.menu.takeover", group="web.menu.advanced", is_for_administrators=True),
    Entry(page="api", title="web.api.title", group="web.menu.advanced"),
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """An entry as one reader sees it."""

    title: str
    path: str
    group: str
    is_here: bool


def menu(request: Request) -> list[Line]:
    """Return what this reader may go to."""
    if request.account is None:
        return []
    return [
        Line(
            title=each.title, path=reverse(each.page), group=each.group, is_here=_is_here(each, request.path)
        )
        for each in MENU
        if is_administrator(request) or not each.is_for_administrators
    ]


def _is_here(entry: Entry, path: str) -> bool:
    own = reverse(entry.page)
    return path == own or path.startswith(entry.below or own if own != "/" else "//")
