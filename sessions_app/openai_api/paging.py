"""What the query of an address asks for."""

from __future__ import annotations

from urllib.parse import parse_qs

from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.exchange import Exchange
from sessions_app.openai_api.responses_store import Page

_MOST, _USUAL = 100, 20


def query(exchange: Exchange) -> dict[str, str]:
    """Return the query of a request, of each name the last value."""
    text = exchange.scope.get("query_string", b"").decode("latin1")
    return {name: values[-1] for name, values in parse_qs(text, max_num_fields=100).items()}


def page(exchange: Exchange) -> Page:
    """Return which items of a list are asked for. Raises ApiError."""
    try:
        asked = query(exchange)
    except ValueError:
        raise ApiError(400, "The query has too many fields.") from None
    limit, order = asked.get("limit", str(_USUAL)), asked.get("order", "desc")
    if not (limit.isascii() and limit.isdecimal() and len(limit) < 4 and 1 <= int(limit) <= _MOST):
        raise ApiError(400, f"limit must be a number from 1 to {_MOST}.", param="limit")
    if order not in ("asc", "desc"):
        raise ApiError(400, "order must be asc or desc.", param="order")
    return Page(int(limit), order == "desc", asked.get("after"))


def no_item(page: Page) -> ApiError:
    """Return the answer to a request for the items after one that is not there."""
    return ApiError(400, f"There is no item with id {(page.after or '')[:100]!r} here.", param="after")
