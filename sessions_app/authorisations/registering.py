"""How this site makes itself known to an authorisation server: by a document at its own address, or by registering.

A document (Client ID Metadata Documents) is preferred where the authorisation server takes one and this site has
https, as its address is the client's name then and nothing has to be kept.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from mcp.client.auth import OAuthRegistrationError
from mcp.client.auth.oauth2 import check_registration_usable
from mcp.client.auth.utils import (
    create_client_info_from_metadata_url,
    create_client_registration_request,
    handle_registration_response,
    should_use_client_metadata_url,
)
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthMetadata
from pydantic import AnyUrl

from sessions_app.authorisations.errors import AuthorisationError
from sessions_app.authorisations.fetching import Reach, fetch

NAME = "Hermes Site"
_METHODS = ("client_secret_basic", "client_secret_post", "none")


@dataclass(frozen=True, slots=True)
class Site:
    """This site's addresses, as the user's browser knows it: where it comes back to, and what describes us."""

    redirect_uri: str
    document: str

    @property
    def home(self) -> str:
        """The address of the site itself."""
        return urljoin(self.redirect_uri, "/")

    def describe(self) -> dict[str, object]:
        """The document that an authorisation server reads, which is the client's name."""
        told = self._metadata(None, "none").model_dump(mode="json", exclude_none=True)
        return {"client_id": self.document, **told}

    async def registered(self, reach: Reach, metadata: OAuthMetadata, scope: str | None) -> OAuthClientInformationFull:
        """Make the site known. Raises AuthorisationError."""
        if metadata.registration_endpoint is None:
            raise AuthorisationError("The authorisation server lets no site register itself.")
        method = _method(metadata.token_endpoint_auth_methods_supported)
        request = create_client_registration_request(metadata, self._metadata(scope, method), str(metadata.issuer))
        try:
            client = await handle_registration_response(await fetch(reach, request))
            check_registration_usable(client)
        except OAuthRegistrationError as error:
            raise AuthorisationError("The authorisation server does not let this site register itself.") from error
        return client

    def documented(self, metadata: OAuthMetadata) -> OAuthClientInformationFull | None:
        """What the site is to an authorisation server that reads its document; None where it does not."""
        has_https = urlsplit(self.document).scheme == "https"
        if has_https and should_use_client_metadata_url(metadata, self.document):
            return create_client_info_from_metadata_url(self.document, [AnyUrl(self.redirect_uri)])
        return None

    def _metadata(self, scope: str | None, method: str) -> OAuthClientMetadata:
        return OAuthClientMetadata.model_validate(
            {
                "client_name": NAME,
                "client_uri": self.home,
                "redirect_uris": [self.redirect_uri],
                "scope": scope,
                "token_endpoint_auth_method": method,
                # What has no https runs on somebody's own machine.
                "application_type": "web" if urlsplit(self.redirect_uri).scheme == "https" else "native",
            }
        )


def has_expired(client: OAuthClientInformationFull) -> bool:
    """Tell whether the secret of a registration is no longer good; 0 is for ever."""
    return bool(client.client_secret_expires_at) and int(client.client_secret_expires_at or 0) <= time.time()


def _method(supported: list[str] | None) -> str:
    """How this site says at the token endpoint who it is: the first of the server's ways that it has, too."""
    # A server that says nothing has this one (RFC 8414).
    return next((method for method in supported or () if method in _METHODS), "client_secret_basic")
