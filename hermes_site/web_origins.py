"""Origins of web pages: scheme, host and port, as browsers name them and as an operator writes them down."""

import re
from urllib.parse import urlsplit

Origin = tuple[str, str, int]
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")


def parse_origin(text: str) -> Origin | None:
    """Scheme, host and port, the scheme's own port filled in; None for what is no origin (`null`, a path …)."""
    try:
        parts = urlsplit(text)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    if not parts.hostname or "@" in parts.netloc or parts.path or parts.query or parts.fragment:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts.scheme, host, port


def exact_origin(text: str) -> Origin | None:
    """An origin that stands for itself alone, as a browser would send it; None for any other (`https://*.example`)."""
    origin = parse_origin(text)
    return origin if origin and _HOST.fullmatch(origin[1]) else None
