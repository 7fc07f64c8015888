"""The errors that the server answers itself: a page for browsers, one line of text for programs.

Plain strings: the server has no templates, and answers so where Django is not asked or has failed.
"""

from collections.abc import Iterable
from html import escape
from http import HTTPStatus

from hermes_site.headers import SERVER

_POLICY = "Content-Security-Policy"
_PAGE_HEADERS = {
    **SERVER,
    "Content-Type": "text/html; charset=utf-8",
    _POLICY: f"{SERVER[_POLICY]}; style-src 'self'; img-src 'self'; font-src 'self'",
}
_SENTENCES = {
    400: ("This request cannot be answered", "Its address, or what it sent, is not what this site expects."),
    408: ("This took too long", "What your browser began to send did not arrive. Please try again."),
    413: ("This is too large", "More was sent than this site takes at once. Nothing was changed."),
    500: ("Something went wrong", "The fault is ours. Please try again in a moment."),
    503: ("The site is busy", "It could not answer in time. Please try again in a moment."),
}
# Style sheets under their plain names: hashed ones are Django's to know.
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title} · Hermes Site</title>
<link rel="stylesheet" href="/static/sessions_app/css/tokens.css">
<link rel="stylesheet" href="/static/sessions_app/css/base.css"></head>
<body class="page"><main class="card"><h1>{title}</h1><p class="lead">{sentence}</p>
<p class="beside"><a href="/">Back to your chats</a></p></main></body>
</html>
"""


def takes_pages(accept: Iterable[bytes]) -> bool:
    """Whether a client with these Accept headers is a browser that shows a page."""
    return any(b"text/html" in value for value in accept)


def body_of(status: int, detail: str = "", *, as_page: bool = False) -> bytes:
    """Return the body of an error, as a page or as a line of text."""
    phrase = HTTPStatus(status).phrase
    if as_page:
        title, sentence = _SENTENCES.get(status, (phrase, "Please try again in a moment."))
        return _PAGE.format(title=escape(title), sentence=escape(sentence)).encode()
    return f"{status} {phrase}{': ' if detail else ''}{detail}\n".encode("utf-8", "replace")


def headers_of(as_page: bool) -> dict[str, str]:
    """Return the headers of an error, by the kind of its body."""
    return _PAGE_HEADERS if as_page else SERVER


def answer(status: int, detail: str = "", more: Iterable[tuple[str, str]] = (), *, as_page: bool = False) -> bytes:
    """Return a whole HTTP answer, after which the connection is closed. `more`: further headers."""
    body = body_of(status, detail, as_page=as_page)
    fields = [*headers_of(as_page).items(), *more, ("Content-Length", str(len(body))), ("Connection", "close")]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{head}\r\n".encode() + body
