"""A client of Hermes Site, for asyncio; ``hermes_client.blocking`` has the same for programs without a loop."""

from hermes_client.chat import Chat
from hermes_client.client import Client, connect
from hermes_client.errors import (
    Conflict,
    Denied,
    Disconnected,
    HermesError,
    NotFound,
    Refused,
    RunFailed,
    TooLarge,
    TooMany,
)
from hermes_client.run import Run

__all__ = [
    "Chat",
    "Client",
    "Conflict",
    "Denied",
    "Disconnected",
    "HermesError",
    "NotFound",
    "Refused",
    "Run",
    "RunFailed",
    "TooLarge",
    "TooMany",
    "connect",
]
