"""What a page shows, by the part that it plays there: labels with their fields, tabs, headings, choices."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = ("meta", "link", "input", "img", "br")


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    above: tuple[Element, ...]
    words: list[str] = field(default_factory=list)
    """Its own and those of everything in it."""

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def has(self, name: str) -> bool:
        return name in self.attributes.get("class", "").split()


class PageParts(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append(Element(tag, attributes, tuple(self._open)))
        if tag not in VOID:
            self._open.append(self.elements[-1])

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for each in self._open:
            each.words.append(data)

    def headings(self) -> set[str]:
        return {each.text for each in self.elements if each.tag in ("h1", "h2", "h3")}

    def fields(self) -> dict[str, str]:
        """The names of fields by their labels."""
        names = {
            each.attributes["id"]: each.attributes["name"]
            for each in self.elements
            if {"id", "name"} <= set(each.attributes)
        }
        labels = [each for each in self.elements if each.tag == "label"]
        return {each.text: names[each.attributes["for"]] for each in labels}

    def choices(self, name: str) -> list[str]:
        """The words of a drop-down, in their order."""
        return [
            each.text
            for each in self.elements
            if each.tag == "option"
            and any(above.attributes.get("name") == name for above in each.above if above.tag == "select")
        ]

    def tabs(self) -> dict[str, str]:
        """Where tabs lead, by their words."""
        return {
            each.text: each.attributes["href"]
            for each in self.elements
            if each.tag == "a" and any(above.has("tabs") for above in each.above)
        }

    def menu(self) -> dict[str, str]:
        """The groups of the menu at the side: the heading that an address stands under."""
        found, group = {}, ""
        for each in self.elements:
            if any(above.has("side") for above in each.above):
                group = each.text if each.has("menu-group") else group
                if each.tag == "a":
                    found[each.attributes["href"]] = group
        return found

    def of(self, tag: str, name: str = "") -> list[str]:
        """The words of all elements of this tag, and of this class."""
        return [each.text for each in self.elements if each.tag == tag and (not name or each.has(name))]
