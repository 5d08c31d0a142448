"""One rule for every mail address."""

import pytest

from beistand.domain.mail_address import is_mail_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a@example.org", True),
        ("first.last+tag@example.org", True),
        ("a@localhost", True),
        ("", False),
        ("a", False),
        ("a@b@c", False),
        ("a b@example.org", False),
        ("a@example.org\r\nRCPT", False),
        ("<a@example.org>", False),
        ('"a b"@example.org', False),
        ("ä@example.org", False),
        ("a@example.org,b@example.org", False),
        (f"{'a' * 250}@example.org", False),
    ],
)
def test_mail_addresses(text: str, expected: bool) -> None:
    assert is_mail_address(text) is expected
