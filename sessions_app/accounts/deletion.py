"""The pages on which a user has all their chats, or their account, deleted, and changes their mind.

To ask for it takes the password again, or a login of the last minutes where there is none, and for the account its
name. To take it back takes a click: who can do so could do all else in the account too.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import get_text_list
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from sessions_app.accounts.fields import WRONG_ENTRY, PlainForm, password_field
from sessions_app.accounts.judging import judging_own_password, status_of
from sessions_app.accounts.models import Login
from sessions_app.conversations import holds
from sessions_app.errors import CommandError
from sessions_app.jobs import rows
from sessions_app.models import DeletionKind, Job, JobKind, JobState
from sessions_app.purging import policies, requests

FRESH_FOR = timedelta(minutes=15)
"""How long after a login nobody without a password is asked to log in again."""

CALLED = {DeletionKind.ACCOUNT: "account", DeletionKind.CHATS: "chats"}


class DeletionForm(PlainForm, forms.Form):
    """Asks who it is that wants something to be deleted, and for the account whether they know which."""

    name = forms.CharField(
        required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"})
    )
    password = password_field("Password", "current-password")

    def __init__(self, *args: Any, request: HttpRequest, kind: DeletionKind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request, self.user = request, cast(User, request.user)
        self.fields["name"].label = f"Type {self.user.get_username()} to confirm"
        if kind != DeletionKind.ACCOUNT:
            del self.fields["name"]
        if not self.user.has_usable_password():
            del self.fields["password"]

    def clean_name(self) -> str:
        """Compare it with the user's own, to the letter."""
        if self.cleaned_data["name"].strip() != self.user.get_username():
            raise ValidationError("This is not your username. Capital letters count.")
        return self.user.get_username()

    def clean_password(self) -> str:
        """Compare it with the user's own, as often as the throttle lets."""
        with judging_own_password(self.request):
            if not self.user.check_password(self.cleaned_data["password"]):
                raise ValidationError(WRONG_ENTRY)
        return ""

    def clean(self) -> dict[str, Any]:
        """Ask who has no password to have logged in just now."""
        if "password" not in self.fields and not is_fresh(self.request):
            raise ValidationError("Log out and in again first: your login is older than 15 minutes.")
        return self.cleaned_data


def is_fresh(request: HttpRequest) -> bool:
    """Tell whether this browser's login was begun in the last minutes."""
    begun = Login.objects.filter(owner=cast(User, request.user), session_key=request.session.session_key)
    return begun.filter(created_at__gte=timezone.now() - FRESH_FOR).exists()


@never_cache
@require_http_methods(["GET", "HEAD"])
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """What there is, how long it is kept, what is going to be deleted, and the ways to either."""
    user = cast(User, request.user)
    has = requests.holdings(user.pk)
    shown = {
        "holdings": has,
        "contents": _named(has, DeletionKind.CHATS),
        "only_administrator": requests.LAST_ADMINISTRATOR if requests.is_last_administrator(user.pk) else "",
        "limits": policies.limits_of([user.pk]).get(user.pk),
        "asked": requests.of_user(user.pk),
        "held": holds.REFUSAL if holds.is_held(user.pk) else "",
        "export": _export(user),
    }
    return render(request, "registration/deletion.html", shown)


def _named(has: requests.Holdings, kind: DeletionKind) -> str:
    """Return in words how much of what there is, without what there is none of."""
    chats = _counted(has.chats, "chat")
    if has.messages:
        chats += f" with {_counted(has.messages, 'message')}"
    named = [chats if has.chats else "", _counted(has.files, "file") if has.files else ""]
    if kind == DeletionKind.ACCOUNT:
        named.append(_counted(has.memories, "memory", "memories") if has.memories else "")
        named.append(_counted(has.tokens, "API token") if has.tokens else "")
    return get_text_list([each for each in named if each], "and")


def _counted(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"


def _export(user: User) -> Job | None:
    own = Job.objects.filter(owner_id=user.pk, kind=JobKind.EXPORT)
    return own.exclude(state=JobState.REMOVED).order_by("-created_at").first()


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def ask(request: HttpRequest, kind: DeletionKind) -> HttpResponse:
    """Have the chats or the account deleted when it is time, once the user has said that it is meant."""
    user = cast(User, request.user)
    has = requests.holdings(user.pk)
    # What there is nothing to ask for, that page says.
    if kind in requests.of_user(user.pk) or (kind == DeletionKind.CHATS and not has.chats):
        return redirect("deletion")
    form = DeletionForm(request.POST or None, request=request, kind=kind)
    if form.is_valid():
        try:
            with transaction.atomic():
                requests.ask(user.pk, kind)
        except CommandError as refusal:
            form.add_error(None, refusal.text)
        else:
            messages.success(request, f"Your {CALLED[kind]} will be deleted. Until then you can change your mind.")
            return redirect("deletion")
    shown = {
        "form": form,
        "kind": kind.value,
        "due_at": timezone.now() + requests.WAITS[kind],
        "contents": _named(has, kind),
        "is_fresh": user.has_usable_password() or is_fresh(request),
    }
    return render(request, "registration/delete.html", shown, status=status_of(form))


@require_POST
@login_required
def keep(request: HttpRequest, kind: DeletionKind) -> HttpResponse:
    """Have nothing deleted after all."""
    with transaction.atomic():
        taken_back = requests.take_back(int(request.user.pk or 0), kind)
    if taken_back:
        messages.success(request, f"Your {CALLED[kind]} will not be deleted.")
    else:
        messages.warning(request, "There was nothing to take back.")
    return redirect("deletion")


@require_POST
@login_required
def export(request: HttpRequest) -> HttpResponse:
    """Have the account exported, so that it can be taken along."""
    with transaction.atomic():
        rows.ask_for_export(int(request.user.pk or 0))
    return redirect("deletion")
