"""What the authorisation server of the tests knows: clients, codes and tokens, for the SDK's own handlers."""

from __future__ import annotations

import secrets
import time
from urllib.parse import parse_qs, urlsplit

from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    TokenError,
    construct_redirect_uri,
)
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken


class Memory(OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken]):
    """A person agrees, or refuses, on a page of their own (`/consent`). Refresh tokens are good for one use."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.begin()

    def begin(self) -> None:
        """Know nothing yet."""
        self.told_issuer: str | None = self.issuer
        self.lifetime: int | None = 3600
        self.clients: dict[str, OAuthClientInformationFull] = {}
        self.asked: dict[str, tuple[str, AuthorizationParams]] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.access: dict[str, AccessToken] = {}
        self.refresh: dict[str, RefreshToken] = {}
        self.refreshes = 0
        self.takes_none = False
        self.revoked: list[str] = []

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return self.clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        self.clients[client_info.client_id] = client_info

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        number = secrets.token_hex(8)
        self.asked[number] = client.client_id, params
        return f"{self.issuer}/consent?request={number}"

    def answer(self, number: str, allows: bool) -> str:
        """The address that a person who has been asked is led to."""
        client_id, params = self.asked.pop(number)
        told: dict[str, str | None] = {"state": params.state, "iss": self.told_issuer}
        if not allows:
            return construct_redirect_uri(str(params.redirect_uri), error="access_denied", **told)
        code = secrets.token_urlsafe(20)
        self.codes[code] = AuthorizationCode(
            code=code,
            scopes=params.scopes or [],
            expires_at=time.time() + 60,
            client_id=client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
            subject="person",
        )
        return construct_redirect_uri(str(params.redirect_uri), code=code, **told)

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        del self.codes[authorization_code.code]
        return self._issue(client.client_id, authorization_code.scopes, authorization_code.resource)

    async def load_refresh_token(self, client: OAuthClientInformationFull, refresh_token: str) -> RefreshToken | None:
        return self.refresh.get(refresh_token)

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        if self.refresh.pop(refresh_token.token, None) is None:
            raise TokenError("invalid_grant")
        self.refreshes += 1
        return self._issue(client.client_id, scopes, refresh_token.resource)

    async def load_access_token(self, token: str) -> AccessToken | None:
        found = None if self.takes_none else self.access.get(token)
        return found if found and (found.expires_at is None or found.expires_at > time.time()) else None

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        self.revoked.append(token.token)
        self.end()

    def end(self) -> None:
        """Forget all tokens."""
        self.access.clear()
        self.refresh.clear()

    def _issue(self, client_id: str, scopes: list[str], resource: str | None) -> OAuthToken:
        expires_at = int(time.time()) + self.lifetime if self.lifetime is not None else None
        access = AccessToken(
            token=secrets.token_urlsafe(20),
            client_id=client_id,
            scopes=scopes,
            expires_at=expires_at,
            resource=resource,
            subject="person",
        )
        refresh = RefreshToken(
            token=secrets.token_urlsafe(20), client_id=client_id, scopes=scopes, resource=resource, subject="person"
        )
        self.access[access.token], self.refresh[refresh.token] = access, refresh
        return OAuthToken(
            access_token=access.token,
            refresh_token=refresh.token,
            expires_in=self.lifetime,
            scope=" ".join(scopes) or None,
        )


def request_of(address: str) -> str:
    """The number of the request that a page of consent is about."""
    return parse_qs(urlsplit(address).query)["request"][0]
