"""The content of a message as AG-UI has it: a text, or parts that are texts, images and documents. For a thread."""

from __future__ import annotations

import json
from typing import Any

from ag_ui.core import DataSource, DocumentPart, FileSource, ImagePart, TextPart
from ag_ui.core.types import ContentPart

from sessions_app.conversations.line_digests import SaidFile
from sessions_app.http_api.bodies import check_pieces
from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.sent_files import SentFiles

_LEGACY = "binary"
_NAMES = ("filename", "name")


def read_content(content: str | list[ContentPart], files: SentFiles | None, param: str) -> tuple[str, list[SaidFile]]:
    """Return the text and the files of a message; ``files`` is None where it may have none. Raises ApiError."""
    if isinstance(content, str):
        return content, []
    texts, sent = [], []
    for number, part in enumerate(content):
        place = f"{param}[{number}]"
        if isinstance(part, TextPart):
            texts.append(part.text)
        elif isinstance(part, ImagePart | DocumentPart) and files is not None:
            sent.append(_file(part, files, f"{place}.source"))
        else:
            told = "Only texts are taken here, and of a user also images and documents: no sound and no video."
            raise ApiError(400, told, code="unsupported_value", param=place)
    if files is not None:
        files.check_message(sent, param)
    return "\n".join(texts), sent


def _file(part: ImagePart | DocumentPart, files: SentFiles, place: str) -> SaidFile:
    source, name = part.source, _name_in(part.metadata)
    if isinstance(source, DataSource):
        return files.sent(source.value, f"{place}.value", name, plain=source.mime_type)
    if isinstance(source, FileSource):
        return files.named(source.value, f"{place}.value")
    return files.sent(source.value, f"{place}.value", name)


def _name_in(metadata: Any) -> str:
    """Return what a client calls a file; the protocol has no word for it."""
    told = metadata if isinstance(metadata, dict) else {}
    return next((told[name] for name in _NAMES if isinstance(told.get(name), str)), "")


def modern(body: bytes) -> bytes:
    """Return a body whose parts are those of AG-UI 1.0: clients from before it send ``binary`` ones.

    What is no such body is returned as it is. Raises ApiError.
    """
    if b'"binary"' not in body:
        return body
    check_pieces(body)
    try:
        given = json.loads(body)
        for message in given["messages"]:
            if isinstance(message.get("content"), list):
                message["content"] = [_modern_part(part) for part in message["content"]]
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return body
    return json.dumps(given).encode()


def _modern_part(part: Any) -> Any:
    if part.get("type") != _LEGACY:
        return part
    media_type = str(part.get("mimeType") or "")
    kind = "image" if media_type.startswith("image/") else "document"
    source = {"type": "data", "value": part.get("data"), "mimeType": media_type}
    if not part.get("data"):
        named = part.get("id") and {"type": "file", "value": part["id"]}
        source = named or {"type": "url", "value": part.get("url")}
    return {"type": kind, "source": source, "metadata": {"filename": part.get("filename")}}
