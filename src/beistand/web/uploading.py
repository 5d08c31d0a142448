"""Files that come with a form: through to the agent in pieces (S16), and what is too large for a page."""

from contextlib import suppress
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from beistand.domain.errors import BeistandError
from beistand.protocol import CHUNK_BYTES, BeginUpload, Done, DropUpload, SendUpload, UploadView
from beistand.web.asking import Request

SIZE_HEADER = "X-Upload-Size"
"""The script of the page knows the size of the file; a plain form does not tell it."""
SEND_SECONDS = 60.0
"""A disk that is busy with an import takes its time."""


class TooLarge(FileUploadHandler):
    """Drops a file that no handler before it took, and tells its size: a form can say why it has no content."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        pass

    def file_complete(self, file_size: int) -> "UploadedFile[bytes]":
        return UploadedFile(name=self.file_name, size=file_size)


class AgentUpload(FileUploadHandler):
    """Sends the first file of a form to the agent, nothing of it is kept in this process.

    What it refused stands in `error`, the rest is read and lost.
    """

    chunk_size = CHUNK_BYTES

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._agent = request.agent
        size = request.headers.get(SIZE_HEADER, "")
        self._announced = int(size) if size.isdecimal() else 0
        self._sent = 0
        self.id = ""
        """Of the upload; empty: none has begun."""
        self.error: BeistandError | None = None

    def new_file(self, *args: Any, **named: Any) -> None:
        super().new_file(*args, **named)
        if self.id:
            raise StopUpload(connection_reset=False)
        request = BeginUpload(name=str(self.file_name), size=self._announced)
        try:
            self.id = self._agent.ask(request, UploadView, SEND_SECONDS).id
        except BeistandError as error:
            self._stop(error)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002  Django counts, too
        for at in range(0, len(raw_data), CHUNK_BYTES):
            piece = raw_data[at : at + CHUNK_BYTES]
            try:
                self._agent.ask(SendUpload(id=self.id, offset=self._sent, data=piece), Done, SEND_SECONDS)
            except BeistandError as error:
                self._stop(error)
            self._sent += len(piece)

    def file_complete(self, file_size: int) -> "UploadedFile[bytes]":
        return UploadedFile(name=self.file_name, size=file_size)

    def drop(self) -> None:
        """Leave nothing of it at the agent; one that is gone already, or left alone, it removes by itself."""
        with suppress(BeistandError):
            if self.id:
                self._agent.ask(DropUpload(id=self.id), Done, SEND_SECONDS)
        self.id = ""

    def _stop(self, error: BeistandError) -> None:
        self.error = error
        # The rest is read all the same: a browser that is cut off while it sends shows no answer.
        raise StopUpload(connection_reset=False)
