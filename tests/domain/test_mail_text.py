"""Texts that an administrator writes, and addresses that a mail server can be handed."""

import pytest

from beistand.domain.mail import MailText
from beistand.domain.mail_text import filled, text_problem


@pytest.mark.parametrize(
    ("subject", "body", "code"),
    [
        ("Hello {host}", "at {when}: {address} {{literal}}", ""),
        ("Hello {nobody}", "b", "mail-text-field"),
        ("s", "{host!r}", "mail-text-field"),
        ("s", "{host:>1000000}", "mail-text-field"),
        ("s", "{host.__class__}", "mail-text-field"),
        ("s", "{}", "mail-text-field"),
        ("s", "a { brace", "mail-text-field"),
        ("s", "a } brace", "mail-text-field"),
        ("", "b", "mail-text-empty"),
        ("s", " ", "mail-text-empty"),
        ("one\ntwo", "b", "mail-subject-lines"),
        ("s" * 201, "b", "mail-text-long"),
        ("s", "b" * 20_001, "mail-text-long"),
    ],
)
def test_what_may_be_saved(subject: str, body: str, code: str) -> None:
    problem = text_problem(MailText(kind="users-takeover", subject=subject, body=body))
    assert (problem.code if problem else "") == code


def test_only_known_mails_have_a_text() -> None:
    problem = text_problem(MailText(kind="invoice", subject="s", body="b"))
    assert problem is not None
    assert problem.code == "mail-text-unknown"


def test_fields_are_put_in_and_nothing_else_is_touched() -> None:
    text = "{host}: {{host}} {other} {"
    assert filled(text, {"host": "{address}", "address": "x"}) == "{address}: {host} {other} {"
