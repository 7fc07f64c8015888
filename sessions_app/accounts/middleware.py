"""HTTP middleware of the accounts."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from sessions_app.accounts import logins


class NoteLogins:
    """Writes down in which browsers users are logged in; behind Django's authentication.

    Only pages that asked who the user is count: a health check costs nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        key = request.session.session_key
        if key and request.session.accessed and request.user.is_authenticated:
            logins.note(request, request.user.pk, key)
        return response
