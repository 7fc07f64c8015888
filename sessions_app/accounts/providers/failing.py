"""What is said where a login by a provider comes to nothing: one page, a sentence of what to do, and a way back."""

from __future__ import annotations

import logging
from http import HTTPStatus

from allauth.socialaccount.providers.base.constants import AuthError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from sessions_app.accounts.providers.known import KnownProvider
from sessions_app.accounts.providers.requests import UnusableAnswer

logger = logging.getLogger(__name__)

UNKNOWN = "This login was begun in another browser, was used already, or has waited too long. Begin again."
CANCELLED = "You did not agree at {name}, so you are not logged in."
REFUSED = "{name} has refused the login. Try again; if it stays so, ask an administrator of this site."
UNUSABLE = (
    "{name} cannot be reached, or has answered what this site cannot use. Try again in a minute; if it stays so, tell "
    "an administrator of this site."
)
INACTIVE = "Your account at this site has been switched off. Ask an administrator of this site."
FULL = "No name was free for your account. Ask an administrator of this site."
OTHERS = "At {name} you are somebody who has another account here. Log out there, and begin again."
NOT_NOW = "{name} did not say that you have logged in just now, so nothing was confirmed. Begin again."
BUSY = "Too many logins from where you are. Try again in 15 minutes."


def answer(
    request: HttpRequest, known: KnownProvider, error: object, exception: Exception | None, *, is_unknown: bool
) -> HttpResponse:
    """Say why there was no login. ``is_unknown``: what came back was not asked for by this browser."""
    if exception is not None:
        return unusable(request, known, exception)
    if is_unknown:
        return page(request, known, UNKNOWN, HTTPStatus.BAD_REQUEST)
    return page(request, known, CANCELLED if error == AuthError.CANCELLED else REFUSED, HTTPStatus.FORBIDDEN)


def unusable(request: HttpRequest, known: KnownProvider, error: Exception) -> HttpResponse:
    """Say that the provider is to blame; the log says of what."""
    told = str(error) if isinstance(error, UnusableAnswer) else type(error).__name__
    logger.warning("OpenID provider %s: %s.", known.key, told)
    response = page(request, known, UNUSABLE, HTTPStatus.BAD_GATEWAY)
    response._has_been_logged = True  # type: ignore[attr-defined]  # else Django calls it an error of this site
    return response


def page(request: HttpRequest, known: KnownProvider, sentence: str, status: HTTPStatus) -> HttpResponse:
    """Return the page."""
    told = {"sentence": sentence.format(name=known.name), "provider": known}
    return render(request, "registration/provider_failed.html", told, status=status)
