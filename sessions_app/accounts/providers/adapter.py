"""What allauth asks this site about logins by providers (`settings.SOCIALACCOUNT_ADAPTER`).

Providers are those of ``known``, never rows of allauth's own, which keep a client's secret in clear. What a login means
is decided by ``returning``; allauth's own ways into an account are never taken.
"""

from __future__ import annotations

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest


class ProvidersAdapter(DefaultSocialAccountAdapter):
    """Each of its hooks answers the request itself, by ImmediateHttpResponse, as allauth wants it."""

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[Any]:
        """None: a provider is made of what this site knows of it (``oidc.Provider``)."""
        return []

    def get_requests_session(self) -> Any:
        """Return what allauth itself asks by: for tokens, with the client's secret."""
        from sessions_app.accounts.providers.requests import ProviderSession

        return ProviderSession()

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """No: accounts are made by ``people``."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        from sessions_app.accounts.providers import returning

        raise ImmediateHttpResponse(returning.answer(request, sociallogin))

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Any = None,
        extra_context: Any = None,
    ) -> None:
        from sessions_app.accounts.providers import failing

        is_unknown = exception is None and "state" not in (extra_context or {})
        raise ImmediateHttpResponse(failing.answer(request, provider.known, error, exception, is_unknown=is_unknown))
