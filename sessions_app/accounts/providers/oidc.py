"""How a provider is asked: allauth's OpenID Connect, with a nonce, and with an answer that is checked.

Loaded with the first login: what it takes (``requests``, ``jwt``) is no part of the start.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import get_random_string

from sessions_app.accounts.providers.id_tokens import read_id_token
from sessions_app.accounts.providers.known import KnownProvider
from sessions_app.accounts.providers.requests import ProviderSession, UnusableAnswer
from sessions_app.models.sealed import UnreadableSecret

_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Provider(OpenIDConnectProvider):
    """A provider, for one request. Its links to accounts are kept under its issuer."""

    def __init__(self, request: HttpRequest, known: KnownProvider) -> None:
        self.known = known
        try:
            secret = known.secret()
        except UnreadableSecret:
            raise UnusableAnswer("its client's secret cannot be read any more; enter it again") from None
        app = SocialApp(
            provider=self.id,
            provider_id=known.issuer,
            name=known.name,
            client_id=known.client_id,
            secret=secret,
            settings={"server_url": known.issuer, "oauth_pkce_enabled": True},
        )
        super().__init__(request, app=app)
        self.adapter = Adapter(request, self)

    def get_oauth2_adapter(self, request: HttpRequest) -> Adapter:
        return self.adapter

    def get_callback_url(self) -> str:
        return reverse("provider_callback", args=[self.known.key])

    def begin(self, process: str, next_url: str, data: dict[str, Any] | None = None, **asked: str) -> HttpResponse:
        """Lead to the provider; ``asked`` is what else it is asked for.

        Raises UnusableAnswer, and the errors of ``requests``.
        """
        nonce = get_random_string(32)
        asked |= {"nonce": nonce}
        response: HttpResponse = self.redirect(
            self.request, process, next_url, data, scope=self._scope(), auth_params=asked, nonce=nonce
        )
        return response

    def _scope(self) -> list[str]:
        """What it is asked to tell: groups too, where it has a scope of that name; others refuse an unknown one."""
        offered = self.adapter.openid_config.get("scopes_supported")
        return [*self.get_default_scope(), *(["groups"] if isinstance(offered, list) and "groups" in offered else [])]


class Adapter(OpenIDConnectOAuth2Adapter):
    """The requests of one login, and what is made of their answers."""

    def __init__(self, request: HttpRequest, provider: Provider) -> None:
        super().__init__(request, provider.known.issuer)
        self.provider = provider

    def get_provider(self) -> Provider:
        return self.provider

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return request.build_absolute_uri(self.provider.get_callback_url())

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider says of itself. Raises UnusableAnswer."""
        if not hasattr(self, "_openid_config"):
            issuer = self.provider.known.issuer
            config = self._fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            _check(config, issuer)
            self._openid_config = config
        return self._openid_config

    @property
    def basic_auth(self) -> bool:
        """How the client shows its secret: in the body, where that is allowed."""
        methods = self.openid_config.get("token_endpoint_auth_methods_supported")
        return bool(self.provider.app.secret) and not (isinstance(methods, list) and "client_secret_post" in methods)

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        if not isinstance(data["access_token"], str):
            raise UnusableAnswer("its access token is no text")
        return SocialToken(token=data["access_token"])

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        """Return who it says that somebody is, with all that it says of them (``claims``). Raises UnusableAnswer."""
        config, known = self.openid_config, self.provider.known
        keys = self._fetch(config["jwks_uri"])
        id_token = kwargs["response"].get("id_token")
        claims = read_id_token(id_token, keys, issuer=known.issuer, client_id=known.client_id)
        if "userinfo_endpoint" in config:
            told = self._fetch(config["userinfo_endpoint"], headers={"Authorization": f"Bearer {token.token}"})
            if told.get("sub") != claims["sub"]:
                raise UnusableAnswer("it tells of somebody else than who has logged in")
            claims = {**told, **claims}
        account = SocialAccount(provider=known.issuer, uid=claims["sub"])
        login = SocialLogin(provider=self.provider, account=account)
        login.claims = claims
        return login

    def _fetch(self, address: str, **options: Any) -> dict[str, Any]:
        with ProviderSession() as session:
            found: dict[str, Any] = session.get(address, **options).json()
        return found


def _check(config: dict[str, Any], issuer: str) -> None:
    """Refuse what is not of this issuer, or names addresses that are none. Raises UnusableAnswer."""
    if config.get("issuer") != issuer:
        raise UnusableAnswer(f"its issuer is not {issuer}, as it is set here, but {config.get('issuer')!r:.200}")
    named = [config.get(name) for name in _NEEDED]
    named += [config["userinfo_endpoint"]] if "userinfo_endpoint" in config else []
    schemes = ("https",) if issuer.startswith("https:") else ("https", "http")
    if not all(isinstance(address, str) and _is_at(address, schemes) for address in named):
        raise UnusableAnswer("it names an address that cannot be asked")


def _is_at(address: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.hostname) and address.isprintable()
