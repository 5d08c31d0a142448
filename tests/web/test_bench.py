"""The benchmark of the pages runs, and leaves no page out."""

import json
import subprocess
import sys
from pathlib import Path

from django.urls import resolve

from web.page_scenes import SCENES

REPOSITORY = Path(__file__).parents[2]


def test_every_page_that_a_scene_shows_is_measured(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    measure = [sys.executable, "-m", "bench", "--only=pages", "--small", f"--file={file}"]
    done = subprocess.run(measure, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = {each["name"]: each for each in json.loads(file.read_text())["pages"]}
    paths = {scene.path.partition("?")[0] for name, scene in SCENES.items() if name != "not-found"}
    assert {f"/{resolve(path).route}" for path in paths} - set(pages) == set()
    for each in pages.values():
        assert all(waited > 0 for waited in each["waited"]), each
    assert "| `/logs/audit/`" in done.stdout
