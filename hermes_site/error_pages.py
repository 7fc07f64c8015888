"""The errors that the server answers itself: a page for browsers, a line of text or OpenAI's JSON for programs.

Plain strings: the server has no templates, and answers so where Django is not asked or has failed.
"""

import json
from collections.abc import Iterable
from html import escape
from http import HTTPStatus
from typing import Literal

from hermes_site.headers import SERVER

Form = Literal["text", "page", "openai"]
"""What an error looks like."""

HTTP_API = ("/v1/", "/ag-ui/")
"""What the addresses of the APIs over HTTP begin with: their errors have OpenAI's form."""

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


def form_of(path: str, accept: Iterable[bytes]) -> Form:
    """Return the form of an error for a client with these Accept headers, a browser or a program, at an address."""
    if path.startswith(HTTP_API):
        return "openai"
    return "page" if any(b"text/html" in value for value in accept) else "text"


def body_of(status: int, detail: str = "", form: Form = "text") -> bytes:
    """Return the body of an error."""
    phrase = HTTPStatus(status).phrase
    title, sentence = _SENTENCES.get(status, (phrase, "Please try again in a moment."))
    if form == "page":
        return _PAGE.format(title=escape(title), sentence=escape(sentence)).encode()
    if form == "openai":
        error = {
            "message": detail or f"{title}. {sentence}",
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }
        return json.dumps({"error": error}).encode()
    return f"{status} {phrase}{': ' if detail else ''}{detail}\n".encode("utf-8", "replace")


def headers_of(form: Form) -> dict[str, str]:
    """Return the headers of an error, by its form."""
    match form:
        case "page":
            return _PAGE_HEADERS
        case "openai":
            return {**SERVER, "Content-Type": "application/json"}
        case "text":
            return SERVER


def answer(status: int, detail: str = "", more: Iterable[tuple[str, str]] = (), form: Form = "text") -> bytes:
    """Return a whole HTTP answer, after which the connection is closed. `more`: further headers."""
    body = body_of(status, detail, form)
    fields = [*headers_of(form).items(), *more, ("Content-Length", str(len(body))), ("Connection", "close")]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{head}\r\n".encode() + body
