"""The page of a user's shared links: all that there are, and the way to end each."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from sessions_app.conversations import features
from sessions_app.errors import NotFound
from sessions_app.models import Feature
from sessions_app.sharing import keys, links


@never_cache
@require_safe
@login_required
def listing(request: HttpRequest) -> HttpResponse:
    """The user's links, newest first."""
    user = cast(User, request.user)
    shown = [{"share": share, "address": keys.address_of(share.sealed)} for share in links.of_user(user.pk)]
    may = features.allowed(user.pk, Feature.SHARING)
    return render(request, "registration/shares.html", {"shares": shown, "may": may})


@require_POST
@login_required
def revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End one of the user's own links; anybody else's is not found, nor is one that has ended."""
    try:
        with transaction.atomic():
            links.revoke(cast(User, request.user).pk, pk)
    except NotFound:
        raise Http404 from None
    messages.success(request, "That link was revoked. It shows nothing any more.")
    return redirect("shares")
