"""The content of a message as OpenAI's APIs have it: a text, or parts that are texts, images, files. For a thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sessions_app.conversations.line_digests import SaidFile
from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.sent_files import SentFiles
from sessions_app.http_api.texts import text_of_part

Content = tuple[str, tuple[SaidFile, ...]]

TEXTS = dict.fromkeys(("text", "input_text", "output_text"), "text") | {"refusal": "refusal"}
"""Where the text of a part is, by its type: chat completions and Responses have other names for the same."""

_PLAIN = "application/octet-stream"


def read_content(content: str | list[dict[str, Any]], files: SentFiles | None, param: str) -> Content:
    """Return the text and the files of a message; ``files`` is None where it may have none. Raises ApiError."""
    if isinstance(content, str):
        return content, ()
    texts, sent = [], []
    for number, part in enumerate(content):
        place, kind = f"{param}[{number}]", part.get("type")
        read = _FILES.get(kind) if isinstance(kind, str) else None
        if read is None:
            texts.append(text_of_part(part, TEXTS, _refusal_of, place))
        elif files is None:
            raise ApiError(400, "Only a user's message has files.", code="unsupported_value", param=f"{place}.type")
        else:
            sent.append(read(part, files, place))
    return "\n".join(texts), files.check_message(sent, param) if files else ()


def _refusal_of(kind: object) -> str:
    if kind == "input_audio":
        return "Sound is not taken: send its text."
    return "Parts of this type are not taken: texts, images and files are."


def _image_url(part: Mapping[str, Any], files: SentFiles, place: str) -> SaidFile:
    image = part.get("image_url")
    if isinstance(image, dict):
        return files.sent(_text(image, "url", f"{place}.image_url"), f"{place}.image_url.url")
    return files.sent(_text(part, "image_url", place), f"{place}.image_url")


def _input_image(part: Mapping[str, Any], files: SentFiles, place: str) -> SaidFile:
    if part.get("file_id") is not None:
        return files.named(_text(part, "file_id", place), f"{place}.file_id")
    return _image_url(part, files, place)


def _file(part: Mapping[str, Any], files: SentFiles, place: str) -> SaidFile:
    file = part.get("file")
    if not isinstance(file, dict):
        raise ApiError(400, "Field required.", param=f"{place}.file")
    return _input_file(file, files, f"{place}.file")


def _input_file(part: Mapping[str, Any], files: SentFiles, place: str) -> SaidFile:
    if part.get("file_id") is not None:
        return files.named(_text(part, "file_id", place), f"{place}.file_id")
    if part.get("file_data") is None and part.get("file_url") is not None:
        return files.sent(_text(part, "file_url", place), f"{place}.file_url")
    name = _text(part, "filename", place) if part.get("filename") is not None else ""
    return files.sent(_text(part, "file_data", place), f"{place}.file_data", name, plain=_PLAIN)


def _text(part: Mapping[str, Any], field: str, place: str) -> str:
    value = part.get(field)
    if not isinstance(value, str):
        raise ApiError(400, "Field required: a string.", param=f"{place}.{field}")
    return value


_FILES: dict[str, Callable[[Mapping[str, Any], SentFiles, str], SaidFile]] = {
    "image_url": _image_url,
    "input_image": _input_image,
    "file": _file,
    "input_file": _input_file,
}
