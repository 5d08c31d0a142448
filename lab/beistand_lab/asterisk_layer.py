"""A current Asterisk for Debian 12, which has none: packages of a newer suite, laid over the appliance's root.

Asterisk comes at Debian's paths, with its own newer C library and libraries in /opt/ast22/lib. The
lock file beside this one pins every package by version and SHA-256. A suite moves on, though: where a
pinned version is gone, the newest of the suite is taken, and that is said.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from beistand_lab import commands
from beistand_lab.errors import LabError

LOCK = Path(__file__).with_name("asterisk.lock")
SUITES = ("forky", "sid")
_LAYOUT = b"2"  # changes when the arrangement below does
PREFIX = "opt/ast22"
Say = Callable[[str], None]

_WANTED = ["asterisk", "asterisk-modules", "asterisk-config", "asterisk-core-sounds-en-gsm"]
# Libraries of modules that the lab loads; the closure of asterisk-modules itself would be 160 packages.
_MODULE_LIBRARIES = [
    "libsrtp2-1",
    "libgsm1",
    "libspeex1",
    "libspeexdsp1",
    "libresample1",
    "libopus0",
    "libsqlite3-0",
]


def layer(build: Path, say: Say) -> Path:
    """The folder to lay over a root; made once for each content of the lock file, then only looked up."""
    digest = hashlib.sha256(LOCK.read_bytes() + _LAYOUT).hexdigest()[:16]
    finished = build / f"asterisk-{digest}"
    if not finished.is_dir():
        work = build / "asterisk-work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        say("fetching Asterisk and its libraries (once)")
        _unpack(_fetch(work, say), work)
        _arrange(work / "x", work / "layer")
        (work / "layer").rename(finished)
        shutil.rmtree(work)
    return finished


def write_lock(work: Path, suite: str) -> None:
    """Pins what the suite has now; for whoever updates the lock file."""
    work.mkdir(parents=True, exist_ok=True)
    apt = Apt(work, suite)
    packages = apt.download(apt.resolve())
    lines = [f"{name} {version} {_sha256(file)}" for name, version, file in packages]
    head = "# Packages of the lab's Asterisk: NAME VERSION SHA256, one a line.\n"
    LOCK.write_text(head + f"suite {suite}\n" + "\n".join(sorted(lines)) + "\n")


def _fetch(work: Path, say: Say) -> list[Path]:
    suite, pinned = _read_lock()
    apt = Apt(work, suite)
    try:
        packages = apt.download([f"{name}={version}" for name, (version, _) in pinned.items()])
    except LabError:
        return _fetch_newest(work, suite, say)
    for name, _, file in packages:
        if _sha256(file) != pinned[name][1]:
            raise LabError(f"{file.name} is not what asterisk.lock pins", "compare its SHA-256 by hand")
    return [file for _, _, file in packages]


def _fetch_newest(work: Path, pinned_suite: str, say: Say) -> list[Path]:
    for suite in dict.fromkeys((pinned_suite, *SUITES)):
        say(
            f"a version pinned in asterisk.lock is gone from the mirror: taking the newest of {suite} instead"
        )
        try:
            apt = Apt(work, suite)
            return [file for _, _, file in apt.download(apt.resolve())]
        except LabError as error:
            say(f"{suite}: {error}")
    raise LabError("no suite of the mirror has Asterisk", f"update {LOCK.name}, or use another mirror")


def _read_lock() -> tuple[str, dict[str, tuple[str, str]]]:
    suite, pinned = SUITES[0], {}
    for line in LOCK.read_text().splitlines():
        match line.split():
            case ["suite", name]:
                suite = name
            case [name, version, digest] if not name.startswith("#"):
                pinned[name] = (version, digest)
    return suite, pinned


class Apt:
    """Debian's own client with lists and caches in a folder: the machine's own are not touched."""

    def __init__(self, work: Path, suite: str) -> None:
        self._debs = work / "debs"
        for folder in ("lists/partial", "cache/archives/partial", "debs"):
            (work / folder).mkdir(parents=True, exist_ok=True)
        (work / "status").touch()
        keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
        (work / "sources.list").write_text(f"deb [signed-by={keys}] {_mirror()} {suite} main\n")
        options = {
            "Dir::State::lists": work / "lists",
            "Dir::State::status": work / "status",
            "Dir::Etc::sourcelist": work / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::Cache": work / "cache",
            # Mirrors and archives of a moving suite may be past the date in its Release file.
            "Acquire::Check-Valid-Until": "false",
            "Acquire::Languages": "none",
            "APT::Update::Post-Invoke-Success::": "",
            "APT::Sandbox::User": "root",
        }
        self._options = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        self._run(["apt-get", *self._options, "-qq", "update"])

    def resolve(self) -> list[str]:
        """Names of Asterisk's packages and of the libraries they need, by dependency, not by name list:
        a moving suite renames libraries.
        """
        direct = [*self._depends("asterisk"), *_MODULE_LIBRARIES]
        libraries = [name for name in direct if re.match("lib|zlib", name)]
        closure = {name for name in self._depends("--recurse", *libraries) if re.match("lib|zlib", name)}
        tools = re.compile("libc-bin|libc-l10n|libc-gconv")
        return [*_WANTED, *sorted(name for name in {*libraries, *closure} if not tools.match(name))]

    def download(self, packages: list[str]) -> list[tuple[str, str, Path]]:
        """Name, version and file of each; LabError when one of them is not to be had."""
        shutil.rmtree(self._debs)
        self._debs.mkdir()
        script = 'cd "$1" && shift && exec apt-get "$@"'
        argv = ["sh", "-c", script, "apt", str(self._debs), *self._options, "-qq", "download", *packages]
        self._run(argv)
        found = []
        for file in sorted(self._debs.glob("*.deb")):
            shown = commands.run(["dpkg-deb", "--field", str(file), "Package", "Version"]).stdout
            name, version = (line.split(": ")[1] for line in shown.splitlines())
            found.append((name, version, file))
        return found

    def _run(self, argv: list[str]) -> None:
        # The person's own environment: it may name the proxy that leads to the mirror.
        commands.run(argv, timeout=600, environment={**os.environ, "LANG": "C.UTF-8"})

    def _depends(self, *arguments: str) -> list[str]:
        argv = ["apt-cache", *self._options, "depends", "-i", "--no-pre-depends", *arguments]
        shown = commands.run(argv).stdout
        return re.findall(r"^(?: *\|?Depends: )?([a-z0-9][^\s:<>]*)$", shown, re.MULTILINE)


def _mirror() -> str:
    """The Debian mirror that this machine already uses."""
    for wanted in (["Origin: Debian", "Component: main"], ["Component: main"]):
        argv = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", *wanted]
        sites = commands.run(argv).stdout.split()
        for site in sites:
            if "security" not in site and "debian" in site:
                return site
    raise LabError("no Debian mirror is configured on this machine", "see man sources.list")


def _unpack(debs: list[Path], work: Path) -> None:
    for deb in debs:
        commands.run(["dpkg-deb", "-x", str(deb), str(work / "x")])


def _arrange(tree: Path, target: Path) -> None:
    libraries = next((tree / "usr" / "lib").glob("*-linux-gnu*"))
    own = target / PREFIX / "lib"
    modules = target / "usr" / "lib" / libraries.name / "asterisk" / "modules"
    own.mkdir(parents=True)
    for library in libraries.glob("*.so*"):
        shutil.copy2(library, own / library.name, follow_symlinks=False)
    places = ["usr/share/asterisk", "var/lib/asterisk", "var/spool/asterisk", "etc/asterisk"]
    for place in places:
        shutil.copytree(tree / place, target / place, symlinks=True)
    shutil.copytree(libraries / "asterisk" / "modules", modules)
    for file in ("usr/sbin/asterisk", "etc/default/asterisk", "usr/lib/systemd/system/asterisk.service"):
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(tree / file, target / file)
    for folder in ("var/log/asterisk", "var/cache/asterisk"):
        (target / folder).mkdir(parents=True)
    # A link that the package's own script would make.
    (target / "usr/share/asterisk/sounds/en").symlink_to("en_US_f_Allison")
    loader = next(own.glob("ld-linux*.so*"))
    interpreter = f"/{PREFIX}/lib/{loader.name}"
    options = ["--set-interpreter", interpreter, "--force-rpath", "--set-rpath", f"/{PREFIX}/lib"]
    commands.run(["patchelf", *options, str(target / "usr/sbin/asterisk")])
    _drop_modules_without_libraries(modules, loader)


def _drop_modules_without_libraries(modules: Path, loader: Path) -> None:
    """Calendars, LDAP, ODBC and the like: their libraries were not brought."""
    own = str(loader.parent)
    for module in sorted(modules.glob("*.so")):
        argv = [str(loader), "--inhibit-cache", "--library-path", own, "--list", str(module)]
        result = commands.run(argv, check=False)
        lines = [line for line in result.stdout.splitlines() if own not in line and "linux-vdso" not in line]
        if result.returncode != 0 or any("=>" in line or "not found" in line for line in lines):
            module.unlink()
    for name in ("res_pjsip_stir_shaken.so", "res_config_curl.so"):
        (modules / name).unlink(missing_ok=True)  # they need modules that have just gone


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
