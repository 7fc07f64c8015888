"""The word by which an application has the server break an answer off: without Django, so that the server is, too."""

BROKEN_OFF = "hermes.http.broken_off"
"""What the server is sent to close a connection in the midst of an answer: ASGI has no word for that."""
