"""The log for machines (`HERMES_LOG=json`): each line of the process is one JSON object, and as quiet as the text.

`take_over` is for a process that serves: also what is no record of the log goes out so, such as what a command prints,
warnings, and exceptions that nobody has caught.
"""

import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from pythonjsonlogger.json import JsonFormatter

from hermes_site.logs import ExcInfo, quiet_exception, quiet_message
from sessions_app import log_context

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

logger = logging.getLogger(__name__)


class JsonLines(JsonFormatter):
    """One object a record: `time`, `level`, `logger`, `message`, the ids of `log_context`, `exception`, `stack`."""

    def __init__(self) -> None:
        super().__init__(["message"])

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Tell what is known of a record, and nothing that somebody has put beside it (`extra`)."""
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data["level"] = record.levelname
        log_data["logger"] = record.name
        log_data["message"] = quiet_message(record)
        log_data.update({name: str(value) for name, value in log_context.current().known.items()})
        for name, told in (("exception", "exc_info"), ("stack", "stack_info")):
            if message_dict.get(told):
                log_data[name] = message_dict[told]

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 (the base class's name)
        return quiet_exception(ei)


class JsonStream:
    """A stream of text, each line of which goes out as a JSON object, by any thread."""

    def __init__(self, name: str, stream: TextIO) -> None:
        self._name = name
        self._stream = stream
        self._formatter = JsonLines()
        self._lock = threading.Lock()
        self._begun = ""

    def write(self, text: str) -> int:
        """Write text; a line that is not ended waits for its end."""
        with self._lock:
            *lines, self._begun = (self._begun + text).split("\n")
            for line in lines:
                if line.strip():
                    record = logging.LogRecord(self._name, logging.INFO, "", 0, line, None, None)
                    self._stream.write(f"{self._formatter.format(record)}\n")
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def take_over() -> None:
    """Have everything that this process prints go out as JSON. Once, before it begins to work."""
    logging.captureWarnings(True)
    sys.stdout = JsonStream("stdout", sys.stdout)
    sys.stderr = JsonStream("stderr", sys.stderr)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logger.critical("the process ends with an exception", exc_info=(kind, error, trace))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    logger.error("a thread has ended with an exception", exc_info=args.exc_value)


def _unraisable(args: "UnraisableHookArgs") -> None:
    logger.error("an exception could not be raised", exc_info=args.exc_value)
