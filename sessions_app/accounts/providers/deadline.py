"""A bound for a whole exchange with a provider, made by ``requests``, whose own time-outs are for each byte.

Whoever sends a byte every few seconds, of a handshake, a head or a body, could hold the thread of a request for ever.
When the time is over, the connections are shut down from another thread, which ends whatever waits for them.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Deadline:
    """Shuts down the connections that it watches after some seconds. A context manager, for one exchange."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._shut_down)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self.is_over = False

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._timer.cancel()
        with self._lock:
            for each in self._sockets:
                each.close()
            self._sockets.clear()

    def watch(self, connection: socket.socket) -> None:
        """Shut this connection down as well, by a descriptor of its own: TLS takes the other one over."""
        own = socket.socket(connection.family, connection.type, fileno=os.dup(connection.fileno()))
        with self._lock:
            self._sockets.append(own)
        if self.is_over:
            self._shut_down()

    def _shut_down(self) -> None:
        with self._lock:
            self.is_over = True
            for each in self._sockets:
                with suppress(OSError):  # it has ended by itself
                    each.shutdown(socket.SHUT_RDWR)


class BoundedAdapter(HTTPAdapter):
    """Makes connections that a deadline watches, through a proxy of the environment too."""

    def __init__(self, deadline: Deadline) -> None:
        pools = (HTTPConnectionPool, HTTPSConnectionPool)
        self._pools = {pool.scheme: _watched(pool, deadline) for pool in pools}
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """See ``requests``."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """See ``requests``."""
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _watched(pool: Any, deadline: Deadline) -> Any:
    class Connection(pool.ConnectionCls):
        def _new_conn(self) -> socket.socket:
            made: socket.socket = super()._new_conn()
            deadline.watch(made)
            return made

    return type(pool.__name__, (pool,), {"ConnectionCls": Connection})
