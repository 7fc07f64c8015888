"""What the templates of the accounts know of the site's settings."""

from django.conf import settings
from django.http import HttpRequest


def mail(request: HttpRequest) -> dict[str, bool]:
    """Whether mail is sent (`settings.TEMPLATES`): else no page offers what needs it."""
    return {"sends_mail": settings.HERMES_SENDS_MAIL}
