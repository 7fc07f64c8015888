"""What makes the chat an app that can be installed: its manifest, and the icon that is asked for by its old name."""

from django.http import HttpRequest, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

# The page's ground in its light theme (tokens.css): what is shown while the app starts.
GROUND = "#fdfcfa"
# Seconds. The icons have hashed names, so a browser that kept the manifest for longer would ask for those of before.
HOUR = 3600


@require_safe
@cache_control(public=True, max_age=HOUR)
def manifest(request: HttpRequest) -> JsonResponse:
    """The web app manifest."""
    icons = [
        ("icon-192.png", "192x192", "any"),
        ("icon-512.png", "512x512", "any"),
        ("icon-maskable.png", "512x512", "maskable"),
    ]
    start = reverse("chat")
    described = {
        "id": start,
        "name": "Hermes Site",
        "short_name": "Hermes",
        "start_url": start,
        "scope": start,
        "display": "standalone",
        "background_color": GROUND,
        "theme_color": GROUND,
        "icons": [
            {"src": static(f"sessions_app/{name}"), "sizes": sizes, "type": "image/png", "purpose": purpose}
            for name, sizes, purpose in icons
        ],
    }
    return JsonResponse(described, content_type="application/manifest+json")


@require_safe
@cache_control(public=True, max_age=HOUR)
def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """Lead to the icon, for whoever asks for it without reading a page."""
    return redirect(static("sessions_app/favicon.ico"))
