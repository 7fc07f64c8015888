"""The user's page about the safety of their account, and what is changed from there."""

from __future__ import annotations

from typing import Any, cast

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sessions_app.accounts.factors import codes, owned, passkeys
from sessions_app.accounts.factors.confirming import confirmed, is_confirmed
from sessions_app.accounts.factors.forms import AppForm, PasskeyForm, PasskeyNameForm
from sessions_app.accounts.factors.owned import Type
from sessions_app.accounts.providers.known import known_providers
from sessions_app.models.sealed import UnreadableSecret, seal, unseal

_NEW_SECRET = "new_app"  # nosec B105: its name in the login's session


@never_cache
@require_safe
@login_required
def security(request: HttpRequest) -> HttpResponse:
    """What protects the account, and by whom its user logs in."""
    return _security(request)


def _security(request: HttpRequest, form: PasskeyForm | None = None) -> HttpResponse:
    user = cast(User, request.user)
    links = {link.provider: link for link in SocialAccount.objects.filter(user=user).order_by("pk")}
    known = list(known_providers())
    names = {one.issuer: one.name for one in known}
    shown: dict[str, Any] = {
        "app": owned.of_type(user.pk, Type.TOTP).first(),
        "passkeys": owned.of_type(user.pk, Type.WEBAUTHN),
        "codes_left": codes.recovery_codes_left(user.pk),
        "code_count": codes.COUNT,
        "has_factor": owned.has_second_factor(user.pk),
        "form": form or PasskeyForm(),
        "links": [{"pk": link.pk, "name": names.get(issuer, issuer)} for issuer, link in links.items()],
        "others": [one for one in known if one.issuer not in links],
        "is_confirmed": is_confirmed(request),
        "only_way": len(links) == 1 and (settings.OIDC_ONLY or not user.has_usable_password()),
    }
    return render(request, "registration/security.html", shown)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@confirmed
def set_up_app(request: HttpRequest) -> HttpResponse:
    """Show the secret for an authenticator app, and take the first code that the app shows."""
    user, secret = cast(User, request.user), _new_secret(request)
    form = AppForm(request.POST or None, secret=secret)
    if form.is_valid():
        had_codes = owned.of_type(user.pk, Type.RECOVERY_CODES).exists()
        codes.enrol(user, secret, form.period)
        del request.session[_NEW_SECRET]
        messages.success(request, "Your authenticator app is set up. Its code is asked for at each login from now on.")
        return redirect("security") if had_codes else _show_codes(request, codes.make_recovery_codes(user))
    adapter = get_adapter()
    address = adapter.build_totp_url(user, secret)
    picture = mark_safe(adapter.build_totp_svg(address))  # nosec B308 B703: drawn by a library
    # In fours, for who types it.
    groups = [secret[at : at + 4] for at in range(0, len(secret), 4)]
    shown = {"form": form, "groups": groups, "address": address, "picture": picture}
    return render(request, "registration/set_up_app.html", shown)


@require_POST
@login_required
@confirmed
def remove_app(request: HttpRequest) -> HttpResponse:
    """Ask for the app's codes no more."""
    user = cast(User, request.user)
    if owned.remove(owned.of_type(user.pk, Type.TOTP), user.pk):
        messages.success(request, "Your authenticator app is no longer asked for.")
    return redirect("security")


@never_cache
@require_POST
@login_required
@confirmed
def new_recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make other recovery codes, and show them this once."""
    user = cast(User, request.user)
    if not owned.has_second_factor(user.pk):
        return redirect("security")
    return _show_codes(request, codes.make_recovery_codes(user))


@require_POST
@never_cache
@login_required
def new_passkey_options(request: HttpRequest) -> HttpResponse:
    """What the browser is to make."""
    if not is_confirmed(request):
        return JsonResponse({"error": "Load this page again and confirm that it is you."}, status=403)
    return JsonResponse(passkeys.ask_for_new(cast(User, request.user)))


@never_cache
@require_POST
@login_required
@confirmed
def add_passkey(request: HttpRequest) -> HttpResponse:
    """Keep a passkey that the browser has made."""
    user, form = cast(User, request.user), PasskeyForm(request.POST)
    if not form.is_valid():
        return _security(request, form)
    had_codes = owned.of_type(user.pk, Type.RECOVERY_CODES).exists()
    try:
        passkeys.add(user, form.cleaned_data["name"], form.cleaned_data["credential"])
    except ValidationError as refusal:
        form.add_error(None, refusal)
        return _security(request, form)
    messages.success(request, "The passkey was added.")
    return redirect("security") if had_codes else _show_codes(request, codes.make_recovery_codes(user))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@confirmed
def change_passkey(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a passkey of the user's own another name; anybody else's is not found."""
    factor = get_object_or_404(_passkeys_of(request), pk=pk)
    form = PasskeyNameForm(request.POST or None, initial={"name": factor.data["name"]})
    if form.is_valid():
        factor.data["name"] = form.cleaned_data["name"]
        factor.save(update_fields=["data"])
        messages.success(request, "The passkey has another name.")
        return redirect("security")
    return render(request, "registration/passkey.html", {"form": form, "passkey": factor})


@require_POST
@login_required
@confirmed
def remove_passkey(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a passkey of the user's own; anybody else's is not found."""
    factor = get_object_or_404(_passkeys_of(request), pk=pk)
    owned.remove(Authenticator.objects.filter(pk=factor.pk), factor.user_id)
    messages.success(request, "The passkey was removed. Remove it from your device, too.")
    return redirect("security")


def _passkeys_of(request: HttpRequest) -> Any:
    return owned.of_type(cast(User, request.user).pk, Type.WEBAUTHN)


def _new_secret(request: HttpRequest) -> str:
    """Return the secret that is being set up, sealed in the login until its first code comes."""
    try:
        return unseal(request.session[_NEW_SECRET])
    except (KeyError, UnreadableSecret):
        secret: str = codes.new_secret()
        request.session[_NEW_SECRET] = seal(secret)
        return secret


def _show_codes(request: HttpRequest, made: list[str]) -> HttpResponse:
    grouped = [f"{code[:4]} {code[4:]}" for code in made]
    return render(request, "registration/recovery_codes.html", {"codes": grouped})
