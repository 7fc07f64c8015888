"""The headers that every answer has, whoever gives it: Django, the server itself, or its WebSocket library.

Django's own settings name the rest of them for its answers, django-csp the policy of its pages (settings.py).
"""

from collections.abc import Iterable
from http import HTTPStatus

# What browsers let a page do; the site's pages write to the clipboard, and do nothing else of it.
_UNUSED = (
    *("accelerometer", "autoplay", "browsing-topics", "camera", "clipboard-read", "display-capture"),
    *("encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "identity-credentials-get"),
    *("idle-detection", "keyboard-map", "local-fonts", "magnetometer", "microphone", "midi", "otp-credentials"),
    *("payment", "picture-in-picture", "publickey-credentials-create", "publickey-credentials-get"),
    *("screen-wake-lock", "serial", "storage-access", "sync-xhr", "usb", "window-management", "xr-spatial-tracking"),
)

EVERYWHERE = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join([*(f"{name}=()" for name in _UNUSED), "clipboard-write=(self)"]),
}
"""Of all answers, Django's too."""

SERVER = {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    **EVERYWHERE,
}
"""Of the answers that the server gives itself, all of them errors in plain text."""


def error_page(status: int, detail: str = "", more: Iterable[tuple[str, str]] = ()) -> bytes:
    """A whole HTTP answer, after which the connection is closed. `more`: further headers."""
    phrase = HTTPStatus(status).phrase
    body = f"{status} {phrase}{': ' if detail else ''}{detail}\n".encode("utf-8", "replace")
    fields = [*SERVER.items(), *more, ("Content-Length", str(len(body))), ("Connection", "close")]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"HTTP/1.1 {status} {phrase}\r\n{head}\r\n".encode() + body
