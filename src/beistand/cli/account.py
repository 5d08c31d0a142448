"""`beistand account`: who may use the pages and the JSON API."""

import sys

import click

from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.account import AccountRole, plain_name
from beistand.domain.errors import Refused
from beistand.protocol import (
    AccountList,
    AccountView,
    ListAccounts,
    MakeToken,
    NewToken,
    PutAccount,
    RemoveAccount,
    RemoveToken,
)

ROLES = click.Choice([each.value for each in AccountRole])
password_option = click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input; else it is asked for, twice.",
)


@click.group("account")
def command() -> None:
    """Accounts of the pages, and tokens of programs: the same on both appliances."""


@command.command("list")
@verb
def list_accounts(console: Console) -> None:
    """Show the accounts."""
    with Client() as client:
        _show(console, client.call(ListAccounts(), AccountList))


@command.command("add")
@click.argument("name")
@click.option("--role", type=ROLES, default=AccountRole.VIEWER.value, show_default=True)
@password_option
@verb
def add(console: Console, *, name: str, role: str, password_stdin: bool) -> None:
    """Make an account."""
    with Client() as client:
        if any(each.name == plain_name(name) for each in client.call(ListAccounts(), AccountList).accounts):
            raise Refused("account-exists", name=plain_name(name))
        password = _password(console, from_stdin=password_stdin)
        request = PutAccount(name=name, role=AccountRole(role), password=password)
        _show(console, client.call(request, AccountList))


@command.command("password")
@click.argument("name")
@password_option
@verb
def password_of(console: Console, *, name: str, password_stdin: bool) -> None:
    """Give an account another password; its sessions end."""
    with Client() as client:
        known = _known(client, name)
        password = _password(console, from_stdin=password_stdin)
        answer = client.call(PutAccount(name=known.name, role=known.role, password=password), AccountList)
    console.document(answer)
    console.line("cli.account.password-changed", name=known.name)


@command.command("role")
@click.argument("name")
@click.argument("role", type=ROLES)
@verb
def role_of(console: Console, *, name: str, role: str) -> None:
    """Make an account an administrator or a viewer."""
    with Client() as client:
        known = _known(client, name)
        _show(console, client.call(PutAccount(name=known.name, role=AccountRole(role)), AccountList))


@command.command("remove")
@click.argument("name")
@verb
def remove(console: Console, *, name: str) -> None:
    """Remove an account; its sessions end."""
    with Client() as client:
        _show(console, client.call(RemoveAccount(name=name), AccountList))


@command.group("token")
def token() -> None:
    """Tokens of programs that use the JSON API."""


@token.command("list")
@verb
def list_tokens(console: Console) -> None:
    """Show the tokens, without their secrets."""
    with Client() as client:
        answer = client.call(ListAccounts(), AccountList)
    console.document(answer.tokens)
    _show_tokens(console, answer.tokens)


@token.command("make")
@click.argument("name")
@click.option("--role", type=ROLES, default=AccountRole.VIEWER.value, show_default=True)
@verb
def make_token(console: Console, *, name: str, role: str) -> None:
    """Make a token and print it, once."""
    with Client() as client:
        answer = client.call(MakeToken(name=name, role=AccountRole(role)), NewToken)
    console.document(answer)
    console.text(answer.token)


@token.command("remove")
@click.argument("id_", metavar="ID")
@verb
def remove_token(console: Console, *, id_: str) -> None:
    """Make a token worthless."""
    with Client() as client:
        answer = client.call(RemoveToken(id=id_), AccountList)
    console.document(answer.tokens)
    _show_tokens(console, answer.tokens)


def _known(client: Client, name: str) -> AccountView:
    for each in client.call(ListAccounts(), AccountList).accounts:
        if each.name == plain_name(name):
            return each
    raise Refused("unknown-account", name=plain_name(name))


def _password(console: Console, *, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if not console.is_interactive:
        raise click.UsageError("--password-stdin is missing")
    password = console.ask("cli.account.ask-password", hidden=True)
    if console.ask("cli.account.ask-again", hidden=True) != password:
        raise Refused("passwords-differ")
    return password


def _show(console: Console, answer: AccountList) -> None:
    console.document(answer)
    if not answer.accounts:
        console.line("cli.account.none")
    for each in answer.accounts:
        console.text(f"{each.name:<32}  {_described(console, each)}")


def _show_tokens(console: Console, tokens: tuple[AccountView, ...]) -> None:
    if not tokens:
        console.line("cli.account.no-tokens")
    for each in tokens:
        console.text(f"{each.id}  {each.name:<32}  {_described(console, each)}")


def _described(console: Console, view: AccountView) -> str:
    since = console.term("cli.moment", at=view.since.isoformat())
    return f"{console.term(f'account-role.{view.role}'):<14}  {since}"
