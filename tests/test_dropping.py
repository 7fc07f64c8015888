"""What nobody wants is read a piece at a time, in turn by address: who sends it takes nobody's time."""

from __future__ import annotations

from collections.abc import Callable

from hermes_site.dropping import PAUSE, PIECE_BYTES, Dropping
from tests.test_http import head, running, sent


def test_one_connection_is_read_at_a_time_in_turn_by_address() -> None:
    due: list[tuple[float, Callable[[], None]]] = []
    read: list[str] = []
    dropping = Dropping(lambda seconds, work: due.append((seconds, work)))
    sending = ("first", "a"), ("first", "b"), ("first", "c"), ("second", "d")
    reads = {name: lambda name=name: read.append(name) for _, name in sending}
    for address, name in sending:
        dropping.wait(address, reads[name])
    assert read == []
    for _ in sending:
        [(seconds, work)] = due
        due.clear()
        assert seconds == PAUSE
        work()
    assert read == ["a", "d", "b", "c"]
    assert due == []


def test_what_a_refused_client_sends_waits_for_each_piece() -> None:
    body = b"x" * (20 * PIECE_BYTES)
    with running("--tells-drops") as tiny:
        assert sent(tiny, head("POST", "/", "Content-Length: 314572800"), body).startswith(b"HTTP/1.1 413 ")
        for _ in range(20):
            tiny.process.line("waits to be read")
