"""`beistand-web`: makes what the pages need in the process's own folder, then serves them over TLS."""

import os
import signal
import sys
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

from gunicorn.app.base import BaseApplication

from beistand.web import certificate
from beistand.web.address import PORT, listening_address, names_of
from beistand.web.browsers import tls
from beistand.web.reception import Reception
from beistand.web.state import HOSTS, make_secret, state_folder

THREADS = 32
LOOK_SECONDS = 5.0
CERTIFICATE_SECONDS = 3600.0
"""A clock that was put right, or ten years, make a certificate invalid while the pages run."""


def main() -> None:
    """Serve until the address of this machine changes or somebody ends it; systemd starts it again."""
    os.umask(0o077)
    folder = state_folder()
    address = listening_address(folder / "address")
    names = names_of(address)
    make_secret(folder)
    try:
        certificate.ensure_certificate(folder / "tls", names, certificate.now())
    except OSError as trouble:
        # On a full disk the one for another name is better than no page.
        sys.stderr.write(f"no new certificate: {trouble}\n")
    os.environ[HOSTS] = ",".join(names)
    os.environ["DJANGO_SETTINGS_MODULE"] = "beistand.web.settings"
    sys.stderr.write(f"serving https://{address or '0.0.0.0'}:{PORT}/\n")  # noqa: S104  shown, not bound
    _Pages(folder, address, names).run()


class _Pages(BaseApplication):  # type: ignore[misc]  # gunicorn has no type information
    def __init__(self, folder: Path, address: str, names: tuple[str, ...]) -> None:
        self._folder = folder
        self._address = address
        self._names = names
        super().__init__()

    def load_config(self) -> None:
        context = tls(self._folder / "tls")
        settings = {
            "bind": f"{self._address or '0.0.0.0'}:{PORT}",  # noqa: S104  only where the machine has no address yet
            "workers": 1,
            "worker_class": Reception,
            "threads": THREADS,
            "keepalive": 15,
            "graceful_timeout": 5,
            "loglevel": "error",
            "certfile": str(self._folder / "tls/cert.pem"),
            "keyfile": str(self._folder / "tls/key.pem"),
            "ssl_context": lambda _config, _default: context,
            "worker_tmp_dir": "/dev/shm",  # noqa: S108  the worker's heartbeat must not wait for a disk
            "control_socket_disable": True,
            "post_worker_init": lambda _worker: self._watch(),
        }
        for name, value in settings.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        from beistand.web.wsgi import application

        return application

    def _watch(self) -> None:
        """End all of it when the own address or the name is another one, or when the certificate no longer holds."""
        Thread(target=self._wait_for_another, name="address", daemon=True).start()

    def _wait_for_another(self) -> None:
        never, looked = Event(), monotonic()
        while not never.wait(LOOK_SECONDS):
            address = listening_address(self._folder / "address")
            has_moved = (address, names_of(address)) != (self._address, self._names)
            is_due = monotonic() - looked >= CERTIFICATE_SECONDS
            if is_due:
                looked = monotonic()
            if has_moved or (is_due and not self._has_certificate()):
                os.kill(os.getppid(), signal.SIGTERM)
                return

    def _has_certificate(self) -> bool:
        return certificate.fits(self._folder / "tls", self._names, certificate.now())
