"""HTTP middleware of the site."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


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
