"""What root reads when a PBX starts: each appliance keeps its own, and what differs is told.

The format is that of Asterisk's asterisk.conf: `[section]`, `key = value`, comments `; …` and `;-- … --;`.
Its account may write that file, so it is read without regular expressions and with limits.
"""

from itertools import islice

LARGEST = 64 * 1024
"""Bytes; Debian's own file has 6,000."""
MOST_LINES = 64
LONGEST_LINE = 200


def start_options(content: bytes) -> tuple[str, ...]:
    """Return the lines that count, in one spelling and order; whatever stands there, it never raises.

    `[section] key = value`, and `#include …` or `#exec …` as they stand: what those bring in is not followed.
    """
    if len(content) > LARGEST:
        return (f"> {LARGEST} bytes",)
    found: set[str] = set()
    section, is_template, in_comment = "", False, False
    for raw in content.decode("utf-8", "replace").split("\n"):
        line, in_comment = _without_comment(raw, in_comment=in_comment)
        if not line:
            continue
        if line.startswith("#"):
            found.add(_clipped(line))
        elif line.startswith("["):
            name, _, rest = line[1:].partition("]")
            section, is_template = name.strip().lower(), "!" in rest
        elif not is_template:
            key, sign, value = line.partition("=")
            text = f"{key.strip().lower()} = {value.removeprefix('>').strip()}" if sign else line
            found.add(_clipped(f"[{section}] {text}"))
    lines = tuple(islice(sorted(found), MOST_LINES + 1))
    return lines if len(lines) <= MOST_LINES else (*lines[: MOST_LINES - 1], "…")


def brings_in_others(options: tuple[str, ...]) -> str:
    """Return the first line that has root read another file, or run a program; empty: none does."""
    return next((each for each in options if each.startswith("#")), "")


def _without_comment(line: str, *, in_comment: bool) -> tuple[str, bool]:
    """Return what counts of this line, and whether a comment of several lines goes on behind it."""
    kept = ""
    while line:
        if in_comment:
            _, end, line = line.partition("--;")
            in_comment = not end
            continue
        before, sign, rest = line.partition(";")
        kept += before
        if not sign:
            break
        if before.endswith("\\"):
            kept, line = kept[:-1] + ";", rest
        elif rest.startswith("--") and not rest.startswith("---"):
            in_comment, line = True, rest[2:]
        else:
            break
    return kept.strip(), in_comment


def _clipped(line: str) -> str:
    shown = "".join(each if each.isprintable() else "?" for each in line)
    return shown if len(shown) <= LONGEST_LINE else shown[: LONGEST_LINE - 1] + "…"
