"""Files: a backup that is downloaded, an export that is uploaded. Neither is ever whole in memory (F6)."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack

import msgspec
from django.http import HttpRequest
from django.http.response import StreamingHttpResponse

from beistand.client import Client
from beistand.domain.errors import Refused
from beistand.domain.value import Value
from beistand.protocol import (
    CHUNK_BYTES,
    BackupDetails,
    Chunk,
    Done,
    DropUpload,
    GetBackup,
    GetUpload,
    ReadBackup,
    SendUpload,
    UploadView,
)
from beistand.web.api.reading import check_length
from beistand.web.api.route import Route

MEDIA_TYPE = "application/octet-stream"


def download(connection: AbstractContextManager[Client], backup: str) -> StreamingHttpResponse:
    """Return the backup's file, read from the agent piece by piece while it is sent.

    Raises what the agent says to its first piece.
    """
    with ExitStack() as stack:
        client = stack.enter_context(connection)
        details = client.call(GetBackup(id=backup), BackupDetails)
        first = client.call(ReadBackup(id=backup, offset=0), Chunk)
        response = StreamingHttpResponse(
            _pieces(stack.pop_all(), client, backup, first), content_type=MEDIA_TYPE
        )
    response["Content-Length"] = str(details.backup.file_size)
    response["Content-Disposition"] = f'attachment; filename="{details.backup.id}.beistand"'
    return response


def _pieces(stack: ExitStack, client: Client, backup: str, piece: Chunk) -> Iterator[bytes]:
    with stack:
        offset = 0
        while True:
            yield piece.data
            offset += len(piece.data)
            if piece.is_last:
                return
            piece = client.call(ReadBackup(id=backup, offset=offset), Chunk)


def upload(client: Client, request: HttpRequest, route: Route, parts: list[msgspec.Struct]) -> Value:
    """Hand the body on to the agent and return what is there then.

    What breaks off leaves nothing behind. Raises Refused `api-length-missing`, `api-media-type`,
    `api-upload-broken`, and what the agent says.
    """
    if request.content_type != MEDIA_TYPE:
        raise Refused("api-media-type", expected=MEDIA_TYPE)
    check_length(request)
    size = request.headers.get("Content-Length", "")
    if not size.isdecimal() or not int(size):
        raise Refused("api-length-missing")
    begun = client.call(route.built(parts, size=int(size)), UploadView, route.seconds)
    try:
        _send(client, request, begun.id, int(size))
    except BaseException:
        client.call(DropUpload(id=begun.id), Done)
        raise
    return client.call(GetUpload(), UploadView)


def _send(client: Client, request: HttpRequest, upload: str, size: int) -> None:
    offset = 0
    while offset < size:
        try:
            data = request.read(min(CHUNK_BYTES, size - offset))
        except OSError:
            data = b""
        if not data:
            raise Refused("api-upload-broken", received=offset, size=size)
        client.call(SendUpload(id=upload, offset=offset, data=data), Done)
        offset += len(data)
