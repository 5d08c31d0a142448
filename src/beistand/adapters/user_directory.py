"""The people of the telephone system, from its own files (port `Users`), as a reader finds them."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack

from beistand.adapters.folders import Folders, trusted_folders
from beistand.adapters.opening import matching, open_regular
from beistand.adapters.readers import SHARED, Readers
from beistand.domain.errors import BeistandError, Failed
from beistand.domain.mail import User
from beistand.domain.profile import DirectoryFormat, Profile
from beistand.reader.asking import MOST_FILES, Includes, People, ReadMailboxes

ROUNDS = 12
"""Each one learns what the files of the one before include."""
LONGEST_NAME = 512


class FileUsers:
    def __init__(self, readers: Readers = SHARED) -> None:
        self._readers = readers

    def list(self, profile: Profile) -> tuple[User, ...]:
        directory = profile.users
        if directory is None:
            return ()
        with self._readers.telling(directory.path):
            try:
                match directory.format:
                    case DirectoryFormat.ASTERISK_VOICEMAIL:
                        people = self._mailboxes(profile, directory.path)
            except OSError as error:
                why = error.strerror or str(error)
                raise Failed("users-not-read", path=directory.path, why=why) from error
        return tuple(
            User(name=each.name, extension=each.extension, address=each.address) for each in people.people
        )

    def _mailboxes(self, profile: Profile, path: str) -> People:
        folders, end = Folders(trusted_folders(profile)), time.monotonic() + self._readers.patience
        with ExitStack() as stack:
            files = [open_regular(folders, path)]
            stack.callback(os.close, files[0])
            includes: dict[str, tuple[int, ...]] = {}
            for _ in range(ROUNDS):
                ask = ReadMailboxes(includes=includes)
                named = {str(at): each for at, each in enumerate(files)}
                answer = self._readers.ask(
                    ask, (People, Includes), path, named, seconds=max(0.0, end - time.monotonic())
                )
                if isinstance(answer, People):
                    return answer
                assert isinstance(answer, Includes)
                for name in answer.names:
                    before = len(files)
                    for each in _opened(folders, os.path.dirname(path), name, MOST_FILES - before):
                        stack.callback(os.close, each)
                        files.append(each)
                    includes[name] = tuple(range(before, len(files)))
        raise Failed("reading-too-much", path=path)


def _opened(folders: Folders, folder: str, name: str, most: int) -> Iterator[int]:
    """Yield descriptors of the files that a name of an include stands for, below the folder only."""
    path = os.path.normpath(os.path.join(folder, name))
    if len(name) > LONGEST_NAME or "\0" in name or not path.startswith(folder + "/"):
        return
    for each in matching(folders, path)[: max(0, most)]:
        try:
            yield open_regular(folders, each)
        except (OSError, BeistandError):
            continue  # as Asterisk would tell; the other users are still users
