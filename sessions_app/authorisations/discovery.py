"""Who gives authorisations for a tool server: what it says itself (RFC 9728), and what its authorisation server says
(RFC 8414).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import httpx2
from mcp.client.auth.utils import (
    build_oauth_authorization_server_metadata_discovery_urls,
    build_protected_resource_metadata_discovery_urls,
    create_oauth_metadata_request,
    extract_resource_metadata_from_www_auth,
    extract_scope_from_www_auth,
    get_client_metadata_scopes,
)
from mcp.shared.auth import DEFAULT_GRANT_TYPES, OAuthMetadata, ProtectedResourceMetadata
from mcp.shared.auth_utils import check_resource_allowed, resource_url_from_server_url
from pydantic import BaseModel, ValidationError

from sessions_app.authorisations.errors import AuthorisationError
from sessions_app.authorisations.fetching import Reach, fetch

Model = TypeVar("Model", bound=BaseModel)

_ASKED = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
_ACCEPTED = {"Accept": "application/json, text/event-stream"}


@dataclass(frozen=True, slots=True)
class Discovered:
    """What was found: for which resource tokens are asked, with which scope, and who gives them."""

    resource: str
    scope: str | None
    metadata: OAuthMetadata

    @property
    def issuer(self) -> str:
        """The authorisation server's name for itself."""
        return str(self.metadata.issuer)


async def discover(address: str) -> Discovered:
    """Ask a tool server who gives authorisations for it, and that one how. Raises AuthorisationError."""
    reach = Reach(address)
    challenge = await fetch(reach, httpx2.Request("POST", address, json=_ASKED, headers=_ACCEPTED))
    protected = await _protected_resource(reach, challenge)
    metadata = await _authorisation_server(reach, str(protected.authorization_servers[0]))
    asked = extract_scope_from_www_auth(challenge)
    scope = get_client_metadata_scopes(asked, protected, metadata, DEFAULT_GRANT_TYPES)
    return Discovered(str(protected.resource), scope, metadata)


async def _protected_resource(reach: Reach, challenge: httpx2.Response) -> ProtectedResourceMetadata:
    named = extract_resource_metadata_from_www_auth(challenge)
    for url in build_protected_resource_metadata_discovery_urls(named, reach.address):
        found = _read(ProtectedResourceMetadata, await fetch(reach, create_oauth_metadata_request(url)))
        if found is None:
            continue
        own = resource_url_from_server_url(reach.address)
        if not check_resource_allowed(requested_resource=own, configured_resource=str(found.resource)):
            raise AuthorisationError("The tool server speaks for another address than its own.")
        return found
    raise AuthorisationError("The tool server does not say who gives authorisations for it.")


async def _authorisation_server(reach: Reach, issuer: str) -> OAuthMetadata:
    for url in build_oauth_authorization_server_metadata_discovery_urls(issuer, reach.address):
        if found := _read(OAuthMetadata, await fetch(reach, create_oauth_metadata_request(url))):
            _check(reach, found, issuer)
            return found
    raise AuthorisationError("The authorisation server does not say how it is asked.")


def _check(reach: Reach, found: OAuthMetadata, issuer: str) -> None:
    """Refuse a server that is another one, that has no PKCE, or that would lead somewhere else."""
    if str(found.issuer) != issuer:
        raise AuthorisationError("The authorisation server gives another name than the one that the tool server says.")
    if "S256" not in (found.code_challenge_methods_supported or ()):
        raise AuthorisationError("The authorisation server does not say that it has PKCE (S256).")
    for address in (
        found.authorization_endpoint,
        found.token_endpoint,
        found.registration_endpoint,
        found.revocation_endpoint,
    ):
        if address is not None:
            reach.check(str(address))


def _read(model: type[Model], response: httpx2.Response) -> Model | None:
    if response.status_code != 200:
        return None
    try:
        return model.model_validate_json(response.content)
    except ValidationError:
        return None
