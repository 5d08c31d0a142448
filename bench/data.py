"""A seeded tree of a telephone system's files, the same for every engine; runs inside an appliance.

    python3 data.py make   ROOT --files 60000 --seed 1
    python3 data.py change ROOT --part 0.01 --seed 2 --list FILE   (FILE: what is new or other, below /)
    python3 data.py scan   ROOT                                    (seconds of one plain lstat scan)
    python3 data.py digest ROOT                                    (of all names and contents)

Small texts (mailboxes, call records, provisioning) that compress well, and one recording that is noise for
every hundred of them. Only the standard library of the distribution's own Python is there.
"""

import argparse
import hashlib
import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

FILES_A_FOLDER = 100
TEXT_BYTES = (200, 6000)
AUDIO_BYTES = (64_000, 512_000)
NEW_PART, GONE_PART = 0.4, 0.1
"""Of the changed files; the others get other contents."""
WORDS = (
    "callerid",
    "duration",
    "context",
    "macrocontext",
    "exten",
    "priority",
    "origtime",
    "category",
    "line",
)


def make(root: Path, files: int, seed: int) -> dict[str, object]:
    """Write so many small files and a hundredth as many recordings."""
    dice = random.Random(seed)
    size = 0
    for number in range(files):
        size += _write(root / _name(number), _text(dice))
        if number % FILES_A_FOLDER == 0:
            size += _write(root / _name(number).with_suffix(".sln"), _audio(dice))
    return {"files": files, "recordings": -(-files // FILES_A_FOLDER), "bytes": size}


def change(root: Path, part: float, seed: int, listed: Path) -> dict[str, object]:
    """Change this part of the small files and of the recordings: other contents, new ones, and some gone."""
    dice = random.Random(seed)
    changed: list[Path] = []
    gone = 0
    for suffix, content in ((".txt", _text), (".sln", _audio)):
        files = sorted(root.rglob(f"*{suffix}"))
        count = max(1, round(len(files) * part))
        for number, path in enumerate(dice.sample(files, count)):
            if number < count * NEW_PART:
                path = path.with_name(f"{path.stem}-{seed}{suffix}")  # noqa: PLW2901  # a new one beside it
            elif number >= count * (1 - GONE_PART):
                path.unlink()
                gone += 1
                continue
            _write(path, content(dice))
            changed.append(path)
    listed.write_text("".join(f"{str(path).removeprefix('/')}\n" for path in changed))
    return {"changed": len(changed), "gone": gone, "bytes": sum(path.stat().st_size for path in changed)}


def scan(root: Path) -> dict[str, object]:
    """Take the lstat of everything, in the quickest way that plain Python has."""
    begin = time.perf_counter()
    entries = sum(1 for _ in _statuses(str(root)))
    return {"seconds": time.perf_counter() - begin, "entries": entries}


def digest(root: Path) -> dict[str, object]:
    total = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(root)} {content}\n".encode())
    return {"digest": total.hexdigest()}


def _statuses(root: str) -> Iterator[os.stat_result]:
    pending = [root]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                yield entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)


def _name(number: int) -> Path:
    folder = number // FILES_A_FOLDER
    return Path(f"{2020 + folder // 240:04}", f"{folder % 240:03}", f"msg{number:06}.txt")


def _text(dice: random.Random) -> bytes:
    size = dice.randint(*TEXT_BYTES)
    lines, length = [], 0
    while length < size:
        lines.append(f"{dice.choice(WORDS)}={dice.randrange(10**6)}\n")
        length += len(lines[-1])
    return "".join(lines).encode()


def _audio(dice: random.Random) -> bytes:
    return dice.randbytes(dice.randint(*AUDIO_BYTES))


def _write(path: Path, content: bytes) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.write_bytes(content)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("make", "change", "scan", "digest"))
    parser.add_argument("root", type=Path)
    parser.add_argument("--files", type=int, default=60_000)
    parser.add_argument("--part", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", type=Path, default=Path("changed"))
    given = parser.parse_args()
    if given.what == "make":
        answer = make(given.root, given.files, given.seed)
    elif given.what == "change":
        answer = change(given.root, given.part, given.seed, given.list)
    else:
        answer = scan(given.root) if given.what == "scan" else digest(given.root)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
