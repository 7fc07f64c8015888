"""What the templates of the accounts know of the site."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from sessions_app.models import ToolServer
from sessions_app.purging import requests


def mail(request: HttpRequest) -> dict[str, bool]:
    """Whether mail is sent (`settings.TEMPLATES`): else no page offers what needs it."""
    return {"sends_mail": settings.HERMES_SENDS_MAIL}


def tool_servers(request: HttpRequest) -> dict[str, object]:
    """Whether there are tool servers that ask users for an authorisation; asked where a template wants to know."""
    return {"asks_for_authorisations": SimpleLazyObject(ToolServer.objects.filter(asks_users=True).exists)}


def deletions(request: HttpRequest) -> dict[str, object]:
    """What the user has asked to be deleted, to be reminded of it; asked where a template wants to know."""
    return {"deletions": SimpleLazyObject(lambda: list(requests.of_user(request.user.pk or 0).values()))}
