"""What the query of an address asks for."""

from __future__ import annotations

from urllib.parse import parse_qs

from sessions_app.http_api.errors import ApiError
from sessions_app.http_api.exchange import Exchange
from sessions_app.openai_api.responses_store import Page

_MOST, _USUAL = 100, 20
_MOST_FIELDS = 100


def query(exchange: Exchange) -> dict[str, str]:
    """Return the query of a request, of each name the last value. Raises ApiError."""
    text = exchange.scope.get("query_string", b"").decode("latin1")
    try:
        found = parse_qs(text, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise ApiError(400, f"The query has more than {_MOST_FIELDS} fields.") from None
    return {name: values[-1] for name, values in found.items()}


def page(exchange: Exchange) -> Page:
    """Return which items of a list are asked for. Raises ApiError."""
    asked = query(exchange)
    limit, order = asked.get("limit", str(_USUAL)), asked.get("order", "desc")
    if not (limit.isascii() and limit.isdecimal() and len(limit) < 4 and 1 <= int(limit) <= _MOST):
        raise ApiError(400, f"limit must be a number from 1 to {_MOST}.", param="limit")
    if order not in ("asc", "desc"):
        raise ApiError(400, "order must be asc or desc.", param="order")
    return Page(int(limit), order == "desc", asked.get("after"))


def no_item(page: Page) -> ApiError:
    """Return the answer to a request for the items after one that is not there."""
    return ApiError(400, f"There is no item with id {(page.after or '')[:100]!r} here.", param="after")
