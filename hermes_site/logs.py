"""Log lines without a word of what was said.

An exception's message may quote a user's text (PostgreSQL: "Failing row contains (…)"), so a traceback is written
as its places and the exception's class, never its message. Nor with the token of a link for a new password, which
Django's line about a refused request would quote.
"""

import logging
import re
import traceback
from types import TracebackType

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

# The loggers of the providers' clients, also of those that HERMES_EXTRAS installs: they tell of each request, retry or
# stored login at INFO. What a turn did is in the ledger.
CLIENTS: tuple[str, ...] = (
    "anthropic",
    "botocore",
    "cohere",
    "fern",
    "google",
    "google_genai",
    "groq",
    "httpx",
    "httpx2",
)
CLIENTS += ("huggingface_hub", "mistralai", "openai", "xai_sdk")

_RESET_TOKEN = re.compile(r"(/(?:password_reset/[^/\s]+|email/confirm)/)[^/\s]+")


class OutsidersAreNoFault(logging.Filter):
    """Makes a warning of what Django calls suspicious (a foreign Host, a large form): anybody can send it at will.

    But not of what only staff can try.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        suspicion = record.name.removeprefix("django.security.")
        if suspicion not in (record.name, "DisallowedModelAdminLookup") and record.levelno == logging.ERROR:
            record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
            record.exc_info = None
        return True


class QuietFormatter(logging.Formatter):
    """One line per record, then for an exception one line per frame, the cause first."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name}: {message}", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the base class's name)
        record.message = quiet_message(record)
        return super().formatMessage(record)

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 (the base class's name)
        return quiet_exception(ei)


def quiet_message(record: logging.LogRecord) -> str:
    """Return the message of a record, without those of exceptions in it."""
    args = record.args if isinstance(record.args, tuple) else ()
    message = record.getMessage()
    if any(isinstance(arg, BaseException) for arg in args):
        quiet = tuple(type(arg).__name__ if isinstance(arg, BaseException) else arg for arg in args)
        message = str(record.msg) % quiet
    if record.name == "asyncio":
        # What follows the first line is the repr of a future with its exception.
        message = message.partition("\n")[0]
    return _RESET_TOKEN.sub(r"\1…", message)


def quiet_exception(info: ExcInfo) -> str:
    """Return an exception as a line for each of its places, then its class; the cause first."""
    return "\n".join(_lines(info[1])) if info[1] else ""


def _lines(error: BaseException) -> list[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    earlier = _lines(cause) if cause else []
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    kind = type(error)
    return [*earlier, *places, f"{kind.__module__}.{kind.__qualname__}"]
