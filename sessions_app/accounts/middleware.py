"""HTTP middleware of the accounts."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from sessions_app import audit
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


class SayWhoActs:
    """Says to the audit whose request this is; behind Django's authentication, which is asked only if it must know."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with audit.acting(lambda: origin_of(request)):
            return self.get_response(request)


def origin_of(request: HttpRequest) -> audit.Origin:
    """Return who sends a request, and where from."""
    user_id = request.user.pk if hasattr(request, "user") else None
    actor = audit.VISITOR if user_id is None else audit.user(user_id)
    return audit.Origin(actor, logins.address_of(request) or "")
