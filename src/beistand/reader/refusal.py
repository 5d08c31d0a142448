"""Why a file is not read, raised where it is seen."""

from beistand.reader.asking import LONGEST_TEXT, Unread


class Refusal(Exception):
    def __init__(self, code: str, why: str = "") -> None:
        super().__init__(code)
        self.unread = Unread(code=code, why=why[:LONGEST_TEXT])
