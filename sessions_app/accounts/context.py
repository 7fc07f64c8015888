"""What the templates of the accounts know of the site."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from sessions_app.models import ToolServer


def mail(request: HttpRequest) -> dict[str, bool]:
    """Whether mail is sent (`settings.TEMPLATES`): else no page offers what needs it."""
    return {"sends_mail": settings.HERMES_SENDS_MAIL}


def tool_servers(request: HttpRequest) -> dict[str, object]:
    """Whether there are tool servers that ask users for an authorisation; asked where a template wants to know."""
    return {"asks_for_authorisations": SimpleLazyObject(ToolServer.objects.filter(asks_users=True).exists)}
