"""A mail server on loopback that keeps what it is sent: as much of SMTP as Django's client speaks."""

from __future__ import annotations

import queue
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from tests.processes import PATIENCE


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._answer("220 ready")
        while line := self.rfile.readline():
            match line.split()[0].upper():
                case b"DATA":
                    self._answer("354 go on")
                    self.server.received.put(self._read_message())
                    self._answer("250 kept")
                case b"RCPT" if (refused := self.server.refused) and refused in line.decode():
                    self._answer("550 nobody here")
                case b"QUIT":
                    self._answer("221 bye")
                    return
                case _:
                    self._answer("250 yes")

    def _read_message(self) -> EmailMessage:
        lines = iter(self.rfile.readline, b".\r\n")
        text = b"".join(line.removeprefix(b".") if line.startswith(b"..") else line for line in lines)
        message: EmailMessage = message_from_bytes(text, policy=policy.default)
        return message

    def _answer(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    """`url`: for EMAIL_URL. `refused`: an address that it takes no mail for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.received: queue.Queue[EmailMessage] = queue.Queue()
        self.refused = ""

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?from=chat@example.org"

    def next(self) -> EmailMessage:
        """The next mail, once it is there."""
        return self.received.get(timeout=PATIENCE)


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A running one."""
    with MailServer() as server:
        # It looks that often whether it is to end.
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()
