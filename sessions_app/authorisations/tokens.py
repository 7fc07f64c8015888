"""What is asked at an authorisation server's token endpoint: tokens for a code, fresh ones for used ones, an end.

Each request names the resource (RFC 8707), so that tokens are good for that tool server alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import httpx2
from mcp.client.auth import OAuthTokenError
from mcp.client.auth.oauth2 import OAuthContext
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import BaseModel, ValidationError

from sessions_app.authorisations.errors import AuthorisationError, Refused
from sessions_app.authorisations.fetching import Reach, fetch

LOST_GRANT, UNKNOWN_CLIENT = "invalid_grant", "invalid_client"
LOST = (LOST_GRANT, UNKNOWN_CLIENT, "unauthorized_client")
"""Refusals after which only a user who connects again gets tokens."""
_REFUSALS = (400, 401, 403)


class Terms(BaseModel):
    """With whom an authorisation is, as whom, and for what."""

    client: OAuthClientInformationFull
    resource: str
    token_endpoint: str
    revocation_endpoint: str | None = None


class Grant(BaseModel):
    """An authorisation: what is needed to use it, to refresh it and to end it. It is kept sealed."""

    terms: Terms
    tokens: OAuthToken


@dataclass(frozen=True, slots=True)
class Code:
    """A code that a browser has brought, and what proves that it was ours to ask for."""

    code: str
    verifier: str
    redirect_uri: str


class _Refusal(BaseModel):
    error: str = ""


async def exchange(reach: Reach, terms: Terms, code: Code) -> Grant:
    """Return the grant that a code is good for. Raises AuthorisationError."""
    form = {
        "grant_type": "authorization_code",
        "code": code.code,
        "code_verifier": code.verifier,
        "redirect_uri": code.redirect_uri,
    }
    return Grant(terms=terms, tokens=await _tokens(reach, terms, form))


async def refresh(reach: Reach, grant: Grant) -> Grant:
    """Return the grant with fresh tokens. Raises Refused, where the user has to connect again, AuthorisationError."""
    kept = grant.tokens.refresh_token
    if not kept:
        raise Refused("The authorisation has ended.", LOST_GRANT)
    fresh = await _tokens(reach, grant.terms, {"grant_type": "refresh_token", "refresh_token": kept})
    # Who gives no other refresh token leaves this one good.
    told = {"refresh_token": fresh.refresh_token or kept, "scope": fresh.scope or grant.tokens.scope}
    return grant.model_copy(update={"tokens": fresh.model_copy(update=told)})


async def revoke(reach: Reach, grant: Grant) -> None:
    """Ask that the tokens be no longer good. Raises AuthorisationError; nothing happens where it cannot be asked."""
    if grant.terms.revocation_endpoint is None:
        return
    kind = "refresh_token" if grant.tokens.refresh_token else "access_token"
    form = {"token": getattr(grant.tokens, kind), "token_type_hint": kind}
    answer = await fetch(reach, _request(grant.terms, grant.terms.revocation_endpoint, form))
    if answer.status_code != 200:
        raise AuthorisationError("The authorisation server did not end the authorisation.")


async def _tokens(reach: Reach, terms: Terms, form: dict[str, str]) -> OAuthToken:
    request = _request(terms, terms.token_endpoint, {**form, "resource": terms.resource})
    answer = await fetch(reach, request)
    if answer.status_code in _REFUSALS:
        raise Refused("The authorisation server has refused.", _code_of(answer))
    try:
        tokens = OAuthToken.model_validate_json(answer.content)
    except ValidationError as error:
        raise AuthorisationError("The authorisation server's answer cannot be read.") from error
    if answer.status_code not in (200, 201) or not _is_sendable(tokens.access_token):
        raise AuthorisationError("The authorisation server's answer cannot be used.")
    return tokens


def _request(terms: Terms, address: str, form: dict[str, str]) -> httpx2.Request:
    context = OAuthContext("", OAuthClientMetadata(redirect_uris=None), cast(Any, None), None, None)
    context.client_info = terms.client
    try:
        form, headers = context.prepare_token_auth({**form, "client_id": terms.client.client_id}, {})
    except OAuthTokenError as error:
        raise AuthorisationError("This site cannot say to the authorisation server who it is.") from error
    return httpx2.Request("POST", address, data=form, headers={**headers, "Accept": "application/json"})


def _code_of(answer: httpx2.Response) -> str:
    try:
        return _Refusal.model_validate_json(answer.content).error
    except ValidationError:
        return ""


def _is_sendable(token: str) -> bool:
    return bool(token) and token.isascii() and token.isprintable() and " " not in token
