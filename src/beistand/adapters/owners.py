"""Names of owners: ids differ between machines, so that a manifest never holds one where there is a name."""

import grp
import pwd


class Owners:
    """The users and groups of this machine, as they are now; each id is looked up once."""

    def __init__(self) -> None:
        self._users = {each.pw_uid: each.pw_name for each in reversed(pwd.getpwall())}
        self._groups = {each.gr_gid: each.gr_name for each in reversed(grp.getgrall())}
        self.key = repr((sorted(self._users.items()), sorted(self._groups.items()))).encode()
        """Changes when a name does."""

    def user(self, number: int) -> str:
        if number not in self._users:
            self._users[number] = _user(number)
        return self._users[number]

    def group(self, number: int) -> str:
        if number not in self._groups:
            self._groups[number] = _group(number)
        return self._groups[number]


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
