"""Read a form with one file, as it comes, into a file without a name. In a thread.

Django's parser has seen every client; what is ours is where the bytes go, how many they may be, and that the form has
come to its end.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from sessions_app.files.keeping import Upload
from sessions_app.http_api.errors import ApiError, file_too_large
from sessions_app.http_api.pieces import Body

FIELD = "file"
_FORM = 'Send one file in a form: Content-Type: multipart/form-data, in the field "file".'


class _Spool(FileUploadHandler):
    """Writes the first file of the form, counts it, and knows its SHA-256."""

    def __init__(self, file: IO[bytes], largest: int) -> None:
        super().__init__()
        self._file = file
        self._largest = largest
        self._digest = hashlib.sha256()
        self._size = 0
        self.upload: Upload | None = None

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        if field_name != FIELD or self.upload is not None:
            raise SkipFile
        super().new_file(field_name, file_name, *args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._size += len(raw_data)
        if self._size > self._largest:
            raise file_too_large(self._largest, FIELD)
        self._digest.update(raw_data)
        self._file.write(raw_data)

    def file_complete(self, file_size: int) -> None:
        self._file.flush()
        self.upload = Upload(self.file_name or "", self._size, self._digest.hexdigest())


@contextmanager
def spooled(kind: str, body: Body, largest: int) -> Iterator[tuple[Upload, IO[bytes]]]:
    """Give the file in a form, and what is known of it; ``kind`` is the request's content type.

    Raises ApiError, Gone, OSError where the disk is full.
    """
    with tempfile.TemporaryFile() as file:
        handler = _Spool(file, largest)
        # The length only tells handlers how much to expect, and is not told of a body in chunks.
        reader: Any = body
        meta = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(largest)}
        handler.request = HttpRequest()
        try:
            MultiPartParser(meta, reader, [handler], "utf-8").parse()
            body.drain()
        except (MultiPartParserError, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent):
            raise ApiError(400, _FORM, param=FIELD) from None
        if handler.upload is None or not body.end.rstrip().endswith(b"--"):
            raise ApiError(400, _FORM, param=FIELD)
        yield handler.upload, file
