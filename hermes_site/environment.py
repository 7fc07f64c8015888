"""Reads settings from the environment: a value that cannot work becomes one sentence, not a traceback.

settings.py takes the default in its place and hands the sentences to checks.py, which stops the start with them.
A sentence never repeats a value that may hold a password.
"""

import ipaddress
import os
import re
import secrets
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import environ

from hermes_site.web_origins import Origin, exact_origin

MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
_SIZE = re.compile(r"(\d{1,15})\s*([kMG]?B)?", re.IGNORECASE)
_UNITS = {"B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
MAIL_SECONDS = 10
"""How long a mail server may be silent."""

MOST_DOLLARS = 1_000_000
"""More is a mistake, and must fit in the database."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Environment:
    """The environment with a `.env` file under it; `problems` collects what cannot work.

    base: the project folder, which relative file names are taken from.
    """

    def __init__(self, base: Path) -> None:
        self.base = base
        self.problems: list[str] = []
        if (base / ".env").is_file():
            environ.Env.read_env(base / ".env", overwrite=False)

    def text(self, name: str, default: str = "") -> str:
        return os.environ.get(name, "").strip() or default

    def needed_with(self, name: str, other: str) -> str:
        """A text that must be there where another setting is."""
        value = self.text(name)
        if not value and self.text(other):
            self.problems.append(f"{name} must be given where {other} is.")
        return value

    def words(self, name: str, default: str = "") -> list[str]:
        """Comma-separated words."""
        return [word.strip() for word in self.text(name, default).split(",") if word.strip()]

    def whole(self, name: str, default: int, *, least: int) -> int:
        raw = self.text(name)
        if not raw:
            return default
        with suppress(ValueError):
            if int(raw) >= least:
                return int(raw)
        self.problems.append(f"{name} must be a whole number of at least {least}, not {raw!r}.")
        return default

    def size(self, name: str, default: int) -> int:
        """A number of bytes, or of kB, MB or GB."""
        raw = self.text(name)
        if not raw:
            return default
        if (found := _SIZE.fullmatch(raw)) and (bytes_ := int(found[1]) * _UNITS[(found[2] or "B").upper()]) > 0:
            return bytes_
        self.problems.append(f"{name} must be a size such as 25MB or 1GB, not {raw!r}.")
        return default

    def file_store(self, name: str, default: Path) -> dict[str, Any]:
        """Django's settings of the store of files: a folder (absolute), or a bucket of S3 with a prefix."""
        given = self.text(name)
        if not given.startswith("s3:"):
            folder = self.base / given if given else default
            options: dict[str, Any] = {"location": str(folder), "file_permissions_mode": 0o600}
            backend = "django.core.files.storage.FileSystemStorage"
            return {"BACKEND": backend, "OPTIONS": {**options, "directory_permissions_mode": 0o700}}
        parts = urlsplit(given)
        if not _BUCKET.fullmatch(parts.netloc) or parts.query or parts.fragment:
            self.problems.append(f"{name} must be a folder, or s3://BUCKET/PREFIX.")
        # Keys are never used twice, so nothing is asked before it is written; what is read is kept in memory no longer
        # than a megabyte.
        options = {"bucket_name": parts.netloc, "location": parts.path.strip("/"), "file_overwrite": True}
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {**options, "max_memory_size": 1_000_000}}

    def seconds(self, name: str, default: float, *, least: float) -> float:
        """A duration in seconds, at most a day."""
        raw = self.text(name)
        if not raw:
            return default
        with suppress(ValueError):
            if least <= float(raw) <= 86_400:
                return float(raw)
        self.problems.append(f"{name} must be a number of seconds from {least:g} to 86400, not {raw!r}.")
        return default

    def dollars(self, name: str) -> Decimal:
        """An amount of US dollars, none unless set."""
        raw = self.text(name, "0")
        with suppress(InvalidOperation):
            # Compared first: "NaN" cannot be.
            if 0 <= Decimal(raw) <= MOST_DOLLARS:
                return Decimal(raw)
        self.problems.append(f"{name} must be a number of dollars from 0 to {MOST_DOLLARS:,}, not {raw!r}.")
        return Decimal(0)

    def choice(self, name: str, default: str, *others: str) -> str:
        value = self.text(name, default).lower()
        if value in (default, *others):
            return value
        self.problems.append(f"{name} must be {' or '.join((default, *others))}, not {value!r}.")
        return default

    def switch(self, name: str) -> bool:
        """Off unless set to a word for on."""
        value = self.text(name, "off").lower()
        if value not in ("1", "on", "true", "yes", "0", "off", "false", "no"):
            self.problems.append(f"{name} must be on or off, not {value!r}.")
        return value in ("1", "on", "true", "yes")

    def networks(self, name: str) -> list[Network]:
        """Addresses or networks (CIDR), comma-separated."""
        found: list[Network] = []
        for word in self.words(name):
            try:
                found.append(ipaddress.ip_network(word))
            except ValueError:
                self.problems.append(f"{name} must list addresses or networks, which {word!r} is not.")
        return found

    def origins(self, name: str) -> list[str]:
        """Origins, scheme included, comma-separated."""
        found = self.words(name)
        for word in found:
            parts = urlsplit(word)
            if parts.scheme not in ("http", "https") or not parts.netloc or parts.path:
                self.problems.append(f"{name} must list origins such as https://chat.example, not {word!r}.")
        return found

    def server(self, name: str) -> str:
        """The address of a server; empty unless set."""
        value = self.text(name)
        with suppress(ValueError):
            parts = urlsplit(value)
            is_one = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
            if not value or (is_one and not parts.query and not parts.fragment):
                return value
        self.problems.append(f"{name} must be the address of a server, such as https://search.example.org.")
        return ""

    def exact_origins(self, name: str) -> list[Origin]:
        """Origins that each stand for themselves alone, comma-separated: scheme, host and port."""
        found: list[Origin] = []
        for word in self.words(name):
            if origin := exact_origin(word):
                found.append(origin)
            else:
                self.problems.append(f"{name} must list origins such as https://app.example:8443, not {word!r}.")
        return found

    def database(self, name: str, default: Path) -> dict[str, Any]:
        """Django's settings of the database; ENGINE ends in `sqlite3` (NAME absolute) or `postgresql`."""
        fallback = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default)}
        if not (url := self.text(name)):
            return fallback
        with suppress(ValueError):
            scheme, host, path = urlsplit(url)[:3]
            # Judged before it is parsed: the parser's warnings repeat the URL.
            if scheme == "sqlite" and not host and path.strip("/") not in ("", ":memory:"):
                config: dict[str, Any] = environ.Env.db_url_config(url)
                return {**config, "NAME": str(self.base / config["NAME"])}
            if scheme in ("postgres", "postgresql") and path.strip("/") and urlsplit(url).port != 0:
                return dict(environ.Env.db_url_config(url))
        self.problems.append(f"{name} must be sqlite:///FILE or postgres://USER:PASSWORD@HOST:PORT/NAME.")
        return fallback

    def redis(self, name: str) -> str:
        value = self.text(name)
        if value and urlsplit(value).scheme not in ("redis", "rediss", "unix"):
            self.problems.append(f"{name} must be redis://HOST:PORT/NUMBER (or rediss:// or unix://).")
        return value

    def mail(self, name: str) -> dict[str, Any]:
        """Django's settings of the mail server and of who its mail is from; none where no server is named.

        That is the address given as `?from=`, else the server's user, else hermes at the server.
        """
        if not (url := self.text(name)):
            return {}
        with suppress(ValueError):
            parts = urlsplit(url)
            query = parse_qs(parts.query, strict_parsing=bool(parts.query))
            [sender] = query.pop("from", [_sender_at(parts)])
            if parts.scheme in MAIL_PORTS and parts.hostname and not query and "@" in parseaddr(sender)[1]:
                config = environ.Env.email_url_config(parts._replace(path="", query="").geturl())
                del config["EMAIL_FILE_PATH"]
                port = config["EMAIL_PORT"] or MAIL_PORTS[parts.scheme]
                return {**config, "EMAIL_PORT": port, "EMAIL_TIMEOUT": MAIL_SECONDS, "DEFAULT_FROM_EMAIL": sender}
        self.problems.append(
            f"{name} must be smtp://USER:PASSWORD@HOST:PORT?from=chat@example.org (or smtp+tls:// or smtp+ssl://)."
        )
        return {}

    def secret(self, name: str, file: Path, *, must_be_given: bool) -> str:
        """The given secret, else the one in `file`, made once (mode 0600)."""
        if given := self.text(name):
            return given
        if must_be_given:
            self.problems.append(
                f"{name} must be given with PostgreSQL or Redis: every process has to use the same one."
            )
            return secrets.token_urlsafe(50)
        return _kept_secret(file)


def _sender_at(server: SplitResult) -> str:
    user = unquote(server.username or "")
    return user if "@" in user else f"hermes@{server.hostname}"


def _kept_secret(file: Path) -> str:
    # Linked into place whole, so that of two first starts the second reads what the first wrote.
    if not file.exists():
        draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(50))
        with suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()
    return file.read_text()
