"""The ASGI application: Django's pages, the chat's WebSocket, and the runner that outlives every connection."""

import os
from typing import Any

from channels.layers import get_channel_layer
from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hermes_site.settings")
# Loads the applications: what imports models comes after it.
_pages = get_asgi_application()

from hermes_site import doors  # noqa: E402
from hermes_site.cors import Cors  # noqa: E402
from hermes_site.error_pages import HTTP_API  # noqa: E402
from hermes_site.headers import SERVER  # noqa: E402
from hermes_site.origin import OwnOrigin  # noqa: E402
from hermes_site.proxy import TrustedProxy  # noqa: E402
from hermes_site.request_ids import RequestIds  # noqa: E402
from sessions_app.api.consumer import ChatConsumer  # noqa: E402
from sessions_app.api.limits import Limits  # noqa: E402
from sessions_app.api.revocation import Doorkeeper  # noqa: E402
from sessions_app.http_api.application import HttpApi  # noqa: E402
from sessions_app.llm.providers import ProviderSettings  # noqa: E402
from sessions_app.share_pages.application import SharedChats  # noqa: E402
from sessions_app.turns.pool import AgentPool, search_chats  # noqa: E402
from sessions_app.turns.runner import Runner  # noqa: E402

_providers = ProviderSettings(
    timeout=settings.HERMES_PROVIDER_TIMEOUT,
    longest_wait=settings.HERMES_PROVIDER_LONGEST_WAIT,
    max_answer=settings.HERMES_MAX_ANSWER,
    retries=settings.HERMES_PROVIDER_RETRIES,
)
runner = Runner(
    AgentPool(_providers, search_chats, tool_timeout=settings.HERMES_TOOL_TIMEOUT, usual_model=settings.HERMES_MODEL),
    lease=settings.HERMES_TURN_LEASE,
    title_model=settings.HERMES_TITLE_MODEL,
    warm_budget=settings.HERMES_WARM_BUDGET,
    # Without Redis there is one process: nobody to tell.
    layer=get_channel_layer() if settings.REDIS_URL else None,
)
_doorkeeper, _limits = Doorkeeper(), Limits()
_chat = OwnOrigin(ChatConsumer.as_asgi(runner=runner, doorkeeper=_doorkeeper, limits=_limits))
_http_api = HttpApi(doors.routes(), runner, _doorkeeper, _limits, SERVER)
_shared_chats = SharedChats(runner, _doorkeeper, _limits, SERVER)
_SOCKET = doors.socket()


async def _http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["path"].startswith(HTTP_API) or _http_api.has(scope["path"]):
        await _http_api(scope, receive, send)
        return
    if _shared_chats.has(scope["path"]):
        await _shared_chats(scope, receive, send)
        return
    # A view is found by its address, so what it needs of the process comes with the request.
    await _pages({**scope, "runner": runner}, receive, send)


async def _websocket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["path"] == _SOCKET:
        await _chat(scope, receive, send)
    else:
        await send({"type": "websocket.close"})


_behind_proxies = TrustedProxy(
    ProtocolTypeRouter({"http": Cors(_http), "websocket": _websocket}), settings.TRUSTED_PROXY
)
application = RequestIds(_behind_proxies, settings.TRUSTED_PROXY)
