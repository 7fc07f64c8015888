"""How a user connects to a tool server, and ends that: three steps of pages, each called in a thread of its own.

1. `begin`: who gives authorisations is found out, this site makes itself known there, and the user is led there with a
   state that only this login can bring back.
2. `finish`: they come back. The state is used up, the answer must come from the server that was asked (RFC 9207), and
   the code is exchanged with the proof that we asked for it (PKCE).
3. `disconnect`: the tokens are forgotten, and the authorisation server is asked to do so, too.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping

import httpx2
from mcp.client.auth import OAuthFlowError
from mcp.client.auth.oauth2 import PKCEParameters
from mcp.client.auth.utils import validate_authorization_response_iss
from mcp.shared.auth import OAuthClientInformationFull, OAuthMetadata

from sessions_app.authorisations import rows, tokens
from sessions_app.authorisations.discovery import Discovered, discover
from sessions_app.authorisations.errors import AuthorisationError, Refused
from sessions_app.authorisations.fetching import Reach
from sessions_app.authorisations.registering import Site, has_expired
from sessions_app.authorisations.rows import Pending
from sessions_app.authorisations.tokens import UNKNOWN_CLIENT, Code, Terms
from sessions_app.models import ToolServer

_ANSWERS = {
    "access_denied": "You did not agree, so nothing was connected.",
    "server_error": "The authorisation server has failed. Try again.",
    "temporarily_unavailable": "The authorisation server is busy. Try again later.",
}
_REFUSED = "The authorisation server has refused what this site asks for."
STALE = "This answer was not asked for here, was used, or came too late. Connect again."


def begin(user_id: int, server: ToolServer, session_key: str, site: Site) -> str:
    """Return the address that the user's browser is to be led to. Raises AuthorisationError."""
    found = asyncio.run(discover(server.url))
    client = _client(server, found, site)
    proof, state = PKCEParameters.generate(), secrets.token_urlsafe(32)
    pending = Pending(
        address=server.url,
        terms=_terms(found, client),
        metadata=found.metadata,
        verifier=proof.code_verifier,
        redirect_uri=site.redirect_uri,
    )
    rows.keep_request(user_id, server, session_key, state, pending)
    return _address(pending, found, state, proof.code_challenge)


def finish(user_id: int, session_key: str, answer: Mapping[str, str]) -> ToolServer:
    """Keep what the user has agreed to, from the parameters that their browser brings. Raises AuthorisationError."""
    returned = rows.take_request(user_id, session_key, answer.get("state", ""))
    if returned is None:
        raise AuthorisationError(STALE)
    server, pending = returned.server, returned.pending
    code = _code(pending, answer)
    try:
        grant = asyncio.run(tokens.exchange(Reach(server.url), pending.terms, code))
    except Refused as error:
        if error.code == UNKNOWN_CLIENT:
            rows.forget_client(server, str(pending.metadata.issuer))
        raise AuthorisationError(f"{_REFUSED} Connect again.") from error
    rows.keep(user_id, server, grant)
    return server


def disconnect(user_id: int, server: ToolServer) -> bool:
    """Forget a user's authorisation; tell whether its tokens are no longer good at the authorisation server either."""
    kept = rows.remove(user_id, server)
    if kept is None or kept.grant.terms.revocation_endpoint is None:
        return False
    try:
        asyncio.run(tokens.revoke(Reach(server.url), kept.grant))
    except AuthorisationError:
        return False
    return True


def _client(server: ToolServer, found: Discovered, site: Site) -> OAuthClientInformationFull:
    if documented := site.documented(found.metadata):
        return documented
    kept = rows.find_client(server, found.issuer, site.redirect_uri)
    if kept and not has_expired(kept):
        return kept
    client = asyncio.run(site.registered(Reach(server.url), found.metadata, found.scope))
    rows.keep_client(server, found.issuer, site.redirect_uri, client)
    return client


def _terms(found: Discovered, client: OAuthClientInformationFull) -> Terms:
    ends = found.metadata.revocation_endpoint
    return Terms(
        client=client,
        resource=found.resource,
        token_endpoint=str(found.metadata.token_endpoint),
        revocation_endpoint=str(ends) if ends else None,
    )


def _address(pending: Pending, found: Discovered, state: str, challenge: str) -> str:
    asked = {
        "response_type": "code",
        "client_id": pending.terms.client.client_id,
        "redirect_uri": pending.redirect_uri,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "resource": found.resource,
    }
    if found.scope:
        asked["scope"] = found.scope
        # OpenID Connect gives no refresh token to who was not asked.
        asked |= {"prompt": "consent"} if "offline_access" in found.scope.split() else {}
    return str(httpx2.URL(str(found.metadata.authorization_endpoint)).copy_merge_params(asked))


def _code(pending: Pending, answer: Mapping[str, str]) -> Code:
    _check_issuer(answer.get("iss"), pending.metadata)
    if word := answer.get("error"):
        raise AuthorisationError(_ANSWERS.get(word, _REFUSED))
    if not answer.get("code"):
        raise AuthorisationError("The authorisation server has sent no code.")
    return Code(answer["code"], pending.verifier, pending.redirect_uri)


def _check_issuer(told: str | None, metadata: OAuthMetadata) -> None:
    try:
        validate_authorization_response_iss(told, metadata)
    except OAuthFlowError as error:
        raise AuthorisationError("The answer is not from the authorisation server that was asked.") from error
