"""Files are taken out of JSON as it comes, whatever its pieces are; the rest stays byte for byte."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import random
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from sessions_app.http_api import sent_files
from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.spool import FileSpool
from sessions_app.http_api.taking_out import MIN_BYTES, digest_in, taken_out

LONG, SHORT = os.urandom(100_000), os.urandom(600)
HEAD = "data:image/png;base64,"


def in_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.fixture
def spool() -> Iterator[FileSpool]:
    """A spool for files of 1 MB, and 2 MB together."""
    with closing(FileSpool(1_000_000, 2_000_000)) as made:
        yield made


def taken(body: bytes, spool: FileSpool, longest: int = 1_000_000) -> Any:
    return json.loads(taken_out(io.BytesIO(body).read, spool, longest))


def content_of(mark: str, spool: FileSpool) -> bytes:
    spooled = spool.get(digest_in(mark) or "")
    assert spooled is not None
    with spool.copy(spooled) as copy:
        copy.seek(0)
        return copy.read()


def ragged(body: bytes, most: int) -> Callable[[int], bytes]:
    """Return what reads a body in pieces of at most so many bytes."""
    source, chance = io.BytesIO(body), random.Random(5)
    return lambda _: source.read(chance.randint(1, most))


@pytest.mark.parametrize("name", ["url", "image_url", "file_data", "data", "value"])
@pytest.mark.parametrize("head", ["", HEAD])
def test_a_long_file_leaves_a_mark_of_its_digest(spool: FileSpool, name: str, head: str) -> None:
    value = taken(json.dumps({"a": 1, name: head + in_base64(LONG), "z": "ende"}).encode(), spool)
    assert (value["a"], value["z"]) == (1, "ende")
    assert value[name] == f"{head}\0file:{hashlib.sha256(LONG).hexdigest()}"
    assert content_of(value[name].removeprefix(head), spool) == LONG


def test_whatever_the_pieces_are_it_is_the_same(spool: FileSpool) -> None:
    parts = [{"url": HEAD + in_base64(LONG)}, {"text": '"url":"'}, {"url": "https://a"}, {"data": in_base64(LONG[1:])}]
    body = json.dumps({"messages": parts}, indent=1).encode()
    whole = taken(body, spool)
    for most in (1, 7, 100, 5_000, 70_000):
        with closing(FileSpool(1_000_000, 2_000_000)) as other:
            pieces = taken_out(ragged(body, most), other, 10**6)
            assert json.loads(pieces) == whole
            assert content_of(json.loads(pieces)["messages"][3]["data"], other) == LONG[1:]


def test_texts_that_look_like_files_stay(spool: FileSpool) -> None:
    long_word = "A" * (2 * MIN_BYTES)
    given = {
        "text": HEAD + in_base64(LONG),
        "content": in_base64(LONG),
        "arguments": json.dumps({"url": HEAD + long_word}),
        "url": "https://example.com/" + long_word,
        "value": "two words " + long_word,
        "data": in_base64(SHORT),
        "image_url": HEAD + in_base64(SHORT),
    }
    assert taken(json.dumps(given).encode(), spool) == given


@pytest.mark.parametrize("escape", [{"/": "\\/"}, {"+": "\\u002B"}, {"=": "\\u003d", "/": "\\u002F"}])
def test_escapes_of_other_encoders_are_understood(spool: FileSpool, escape: dict[str, str]) -> None:
    text = "".join(escape.get(character, character) for character in in_base64(LONG))
    mark = taken(f'{{"data":"{text}"}}'.encode(), spool)["data"]
    assert content_of(mark, spool) == LONG


@pytest.mark.parametrize("broken", ["AA=A", "A", "AB\\n", "A==", "????", "AAAA====", "\\"])
def test_what_is_no_base64_is_refused_by_its_name(spool: FileSpool, broken: str) -> None:
    body = f'{{"file_data":"{in_base64(LONG[:99_999])}{broken}"}}'.encode()
    with pytest.raises(ApiError) as refused:
        taken_out(io.BytesIO(body).read, spool, 10**6)
    assert (refused.value.status, refused.value.error["param"]) == (400, "file_data")


def test_a_body_that_breaks_off_in_a_file_ends(spool: FileSpool) -> None:
    body = f'{{"data":"{in_base64(LONG[:99_999])}'.encode()
    with pytest.raises(ValueError, match="Unterminated"):
        taken(body, spool)


def test_the_same_bytes_are_kept_once(spool: FileSpool) -> None:
    parts = [{"data": in_base64(content)} for content in (LONG, LONG[1:], LONG)]
    first, second, third = (part["data"] for part in taken(json.dumps(parts).encode(), spool))
    assert first == third
    assert (content_of(first, spool), content_of(second, spool)) == (LONG, LONG[1:])


@pytest.mark.parametrize("sizes", [[1_000_001], [900_000, 900_000, 900_000]])
def test_more_than_the_bound_is_refused(spool: FileSpool, sizes: list[int]) -> None:
    body = json.dumps([{"data": in_base64(bytes([number]) * size)} for number, size in enumerate(sizes)]).encode()
    with pytest.raises(ApiError) as refused:
        taken_out(io.BytesIO(body).read, spool, 10**6)
    assert refused.value.status == 413


def test_texts_beyond_the_bound_are_refused(spool: FileSpool) -> None:
    with pytest.raises(ApiError) as refused:
        taken_out(io.BytesIO(b'"' + b"words " * 50_000 + b'"').read, spool, 100_000)
    assert refused.value.status == 413


def test_a_large_file_is_never_in_memory() -> None:
    body = io.BytesIO(f'{{"data":"{in_base64(os.urandom(12_000_000))}"}}'.encode())
    with closing(FileSpool(25_000_000, 50_000_000)) as spool:
        tracemalloc.start()
        try:
            taken_out(body.read, spool, 10**6)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most < 1_500_000


def test_a_full_disk_is_told_as_such(spool: FileSpool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.TemporaryFile", lambda: open("/dev/full", "wb"))  # noqa: SIM115
    body = io.BytesIO(json.dumps({"data": in_base64(LONG)}).encode())
    with pytest.raises(ApiError) as refused, sent_files._full_disk():
        taken_out(body.read, spool, 10**6)
    assert (refused.value.status, refused.value.error["code"]) == (507, "disk_full")
    assert refused.value.headers == {"x-should-retry": "false"}


def test_many_names_of_files_cost_little(spool: FileSpool) -> None:
    body = b"[" + b",".join([b'{"url":"a"}'] * 100_000) + b"]"
    assert taken_out(io.BytesIO(body).read, spool, 10**7) == body
