"""The page of the web chat: a shell; what is in it comes over the websocket."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from sessions_app.conversations import features
from sessions_app.web.modules import modules_of

ENTRY = "sessions_app/js/main.js"


@require_safe
@never_cache
@login_required
def chat(request: HttpRequest) -> HttpResponse:
    """The chat of the user who is logged in; `?chat=<session id>` is read by the page itself."""
    user_id = int(request.user.pk or 0)
    config = {
        "maxText": settings.HERMES_MAX_TEXT,
        "login": resolve_url(settings.LOGIN_URL),
        "user": str(request.user.pk),
        "sendsMail": settings.HERMES_SENDS_MAIL,
        "maxFile": settings.HERMES_MAX_FILE,
        "features": [feature.value for feature in features.denied([user_id])[user_id].allowed],
    }
    context = {"config": config, "entry": ENTRY, "modules": modules_of(ENTRY)}
    return render(request, "sessions_app/chat.html", context)
