"""HTTP middleware of the site."""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus

from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch

from hermes_site.headers import EVERYWHERE

# Pages of Django's admin whose own scripts make HTML of text (jQuery does, when it is loaded).
_MAKES_HTML = ("_changelist", "_add", "_change", "_delete")
_WITHOUT_TRUSTED_TYPES = {"require-trusted-types-for": None, "trusted-types": None}


class SiteHeaders:
    """Gives every answer the headers that none goes without."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in EVERYWHERE.items():
            response.headers[name] = value
        return response


class PolicyOfPage(CSPMiddleware):
    """The Content-Security-Policy of settings.py; without Trusted Types where Django's own scripts would fail."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if response.status_code == HTTPStatus.OK and _makes_html(request.resolver_match):
            return replace(parts, replace=_WITHOUT_TRUSTED_TYPES)
        return parts


def _makes_html(match: ResolverMatch | None) -> bool:
    return match is not None and "admin" in match.app_names and (match.url_name or "").endswith(_MAKES_HTML)


class SecureCookies:
    """Marks every cookie Secure that is set on an HTTPS request, and only those.

    Django's *_COOKIE_SECURE settings are one answer for the whole site; the same process may be reached over plain
    HTTP on loopback and over HTTPS through a proxy.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response
