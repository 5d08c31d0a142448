"""`beistand licence keygen` and `issue`: for those who sell appliances. Works without agent and network."""

import os
import secrets
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import click
import msgspec

from beistand.adapters.licence_signatures import Ed25519Signatures
from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.domain.errors import Refused
from beistand.domain.licence import LicenceKind, new_key
from beistand.domain.licence_file import SELLER, Grant, signed

PLAIN = (LicenceKind.SERVER, LicenceKind.USER, LicenceKind.MODULE)


@click.command("keygen")
@click.argument("seller")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Where to write them."
)
@verb
def keygen(console: Console, *, seller: str, folder: Path) -> None:
    """Make a signing key SELLER.key, to keep secret, and SELLER.pub for the appliances' sellers.d."""
    if not SELLER.fullmatch(seller):
        raise Refused("seller-name-form", seller=seller)
    private, public = Ed25519Signatures().new_pair()
    secret, open_ = folder / f"{seller}.key", folder / f"{seller}.pub"
    _write(secret, private, 0o600)
    _write(open_, public, 0o644)
    console.document({"private": str(secret), "public": str(open_)})
    console.line("cli.licence.keys-made", private=str(secret), public=str(open_))


@click.command("issue")
@click.option("--signing-key", type=click.Path(path_type=Path), required=True, help="SELLER.key of `keygen`.")
@click.option("--seller", help="Name of the seller; else that of the signing key's file.")
@click.option("--holder", default="", help="Who it is issued to.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="Last day, YYYY-MM-DD; else for good.")
@click.option("--server", is_flag=True, help="A server licence.")
@click.option("--users", type=click.IntRange(min=1), help="A licence for so many users.")
@click.option("--module", "modules", multiple=True, help="A module licence, as: redundancy. May be repeated.")
@click.option("--redundancy", is_flag=True, help="With each of them the redundancy licence for the standby.")
@click.option(
    "--stand-in",
    "stand_ins",
    multiple=True,
    metavar="KIND=KEY",
    help="A redundancy licence for one that is installed, as: user=AAAAA-… May be repeated.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("-"), help="Where to write it; - prints."
)
@verb
def issue(  # noqa: PLR0913  click hands over each option
    console: Console,
    *,
    signing_key: Path,
    seller: str | None,
    holder: str,
    expires: datetime | None,
    server: bool,
    users: int | None,
    modules: tuple[str, ...],
    redundancy: bool,
    stand_ins: tuple[str, ...],
    output: Path,
) -> None:
    """Sign a file of new licences."""
    plain = list(_plain(server=server, users=users, modules=modules))
    partners = [_stand_in(each) for each in plain] if redundancy else []
    partners += [_stand_in_for(each) for each in stand_ins]
    last = expires.date() if expires else None
    grants = tuple(_for(each, holder, last) for each in (*plain, *partners))
    if not grants:
        raise click.UsageError("--server, --users, --module, --stand-in")
    body = _signed(signing_key, seller or signing_key.stem, grants)
    if str(output) == "-":
        click.echo(body.decode())
        return
    _write(output, body + b"\n", 0o644)
    console.document({"path": str(output), "licences": grants})
    for each in grants:
        console.text(f"{each.key}  {console.term(f'licence.kind.{each.kind}')}")


def _signed(signing_key: Path, seller: str, grants: tuple[Grant, ...]) -> bytes:
    try:
        private = signing_key.read_bytes()
    except OSError as error:
        raise Refused("file-unreadable", path=str(signing_key), why=error.strerror or str(error)) from None
    return signed(seller, grants, lambda text: Ed25519Signatures().sign(private, text))


def _plain(*, server: bool, users: int | None, modules: tuple[str, ...]) -> Iterator[Grant]:
    if server:
        yield Grant(key=_key(), kind=LicenceKind.SERVER)
    if users:
        yield Grant(key=_key(), kind=LicenceKind.USER, count=users)
    for each in modules:
        yield Grant(key=_key(), kind=LicenceKind.MODULE, module=each)


def _stand_in(grant: Grant) -> Grant:
    kind = LicenceKind(f"redundancy-{grant.kind.value}")
    return msgspec.structs.replace(grant, key=_key(), kind=kind, counterpart=grant.key)


def _stand_in_for(text: str) -> Grant:
    """`user=KEY`, `server=KEY`, `module:redundancy=KEY`."""
    what, _, key = text.partition("=")
    kind, _, module = what.partition(":")
    if kind not in {each.value for each in PLAIN}:
        raise click.UsageError(f"--stand-in {text}: KIND=KEY, KIND one of {', '.join(PLAIN)}")
    return _stand_in(Grant(key=key.strip().upper(), kind=LicenceKind(kind), module=module))


def _for(grant: Grant, holder: str, expires: date | None) -> Grant:
    return msgspec.structs.replace(grant, holder=holder, expires=expires)


def _key() -> str:
    return new_key(secrets.token_bytes)


def _write(path: Path, body: bytes, mode: int) -> None:
    """Write a new file; one that is there stays. Raises Refused `file-exists`, `file-not-writable`."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError:
        raise Refused("file-exists", path=str(path)) from None
    except OSError as error:
        raise Refused("file-not-writable", path=str(path), why=error.strerror or str(error)) from None
    with os.fdopen(file, "wb") as opened:
        opened.write(body)
