"""What is stored of authorisations, one transaction each."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from mcp.shared.auth import OAuthClientInformationFull, OAuthMetadata, OAuthToken
from pydantic import BaseModel, ValidationError

from sessions_app import audit
from sessions_app.audit import Action, Object, ObjectKind
from sessions_app.authorisations.tokens import Grant, Terms
from sessions_app.models import Authorisation, AuthorisationClient, AuthorisationRequest, ToolServer
from sessions_app.models.authorisations import REQUEST_LIFETIME
from sessions_app.models.sealed import UnreadableSecret, seal, unseal
from sessions_app.models.tokens import digest_of

REFRESH_LEASE = timedelta(seconds=30)
"""How long one call has for fetching fresh tokens: three times what a request may take."""
MAX_REQUESTS = 10
"""Of one user that wait for an answer."""
_LONGEST = timedelta(days=365)


class Pending(BaseModel):
    """What is needed when a user comes back who was led away; it is kept sealed. ``address`` is the tool server's."""

    address: str
    terms: Terms
    metadata: OAuthMetadata
    verifier: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Returned:
    """A user who has come back, and what was kept for that."""

    server: ToolServer
    pending: Pending


@dataclass(frozen=True, slots=True)
class Kept:
    """An authorisation as it is stored: its row with the sealed text, the grant, and when the access token ends."""

    pk: int
    sealed: str
    grant: Grant
    expires_at: datetime | None


def keep_request(user_id: int, server: ToolServer, session_key: str, state: str, pending: Pending) -> None:
    """Write down that the user is led away, in this login. Of their earlier requests the newest stay."""
    earlier = AuthorisationRequest.objects.filter(owner=user_id).order_by("-pk").values_list("pk", flat=True)
    AuthorisationRequest.objects.filter(pk__in=list(earlier[MAX_REQUESTS - 1 :])).delete()
    AuthorisationRequest.objects.create(
        owner_id=user_id,
        server=server,
        digest=digest_of(state),
        login=digest_of(session_key),
        sealed=seal(pending.model_dump_json()),
        expires_at=timezone.now() + REQUEST_LIFETIME,
    )


def take_request(user_id: int, session_key: str, state: str) -> Returned | None:
    """Return what was kept for a state, once; None where it is unknown, used, expired, or of another login.

    Also where the tool server has another address by now, or is switched off: what is agreed to is for the old one.
    """
    mine = AuthorisationRequest.objects.filter(
        owner=user_id, login=digest_of(session_key), digest=digest_of(state), expires_at__gt=timezone.now()
    )
    row = mine.select_related("server").first()
    # Whoever deletes the row has it: of two at the same instant that is one.
    if row is None or not AuthorisationRequest.objects.filter(pk=row.pk).delete()[0]:
        return None
    try:
        pending = Pending.model_validate_json(unseal(row.sealed))
    except (UnreadableSecret, ValidationError):
        return None
    is_as_asked = row.server.enabled and row.server.url == pending.address
    return Returned(row.server, pending) if is_as_asked else None


def find_client(server: ToolServer, issuer: str, redirect_uri: str) -> OAuthClientInformationFull | None:
    """Return how an authorisation server knows this site, if it does."""
    row = AuthorisationClient.objects.filter(server=server, issuer=issuer, redirect_uri=redirect_uri).first()
    try:
        return OAuthClientInformationFull.model_validate_json(unseal(row.sealed)) if row else None
    except (UnreadableSecret, ValidationError):
        return None


def keep_client(server: ToolServer, issuer: str, redirect_uri: str, client: OAuthClientInformationFull) -> None:
    """Keep how an authorisation server knows this site from now on."""
    AuthorisationClient.objects.update_or_create(
        server=server,
        issuer=issuer,
        redirect_uri=redirect_uri,
        defaults={"sealed": seal(client.model_dump_json(exclude_none=True))},
    )


def forget_client(server: ToolServer, issuer: str) -> None:
    """Forget how an authorisation server knew this site: it does no longer."""
    AuthorisationClient.objects.filter(server=server, issuer=issuer).delete()


@transaction.atomic
def keep(user_id: int, server: ToolServer, grant: Grant) -> None:
    """Keep a user's authorisation, in place of an earlier one.

    That one is not ended at the server: some end all of a user's there.
    """
    fields = {**_columns(grant), "url": server.url, "refresher": None, "refresher_until": None}
    row, _ = Authorisation.objects.update_or_create(owner_id=user_id, server=server, defaults=fields)
    _record(Action.AUTHORISATION_CONNECTED, row.pk, user_id, server.pk)


def find(user_id: int, server: ToolServer) -> Kept | None:
    """Return a user's authorisation at a tool server, for the address that it has now."""
    row = Authorisation.objects.filter(owner=user_id, server=server, url=server.url, owner__is_active=True).first()
    try:
        return _kept(row) if row else None
    except (UnreadableSecret, ValidationError):
        return None


@transaction.atomic
def remove(user_id: int, server: ToolServer) -> Kept | None:
    """Forget a user's authorisation, and return it."""
    kept = find(user_id, server)
    for row in Authorisation.objects.select_for_update().filter(owner=user_id, server=server):
        _record(Action.AUTHORISATION_DISCONNECTED, row.pk, user_id, server.pk)
        row.delete()
    return kept


def claim_refresh(kept: Kept, call: uuid.UUID) -> bool:
    """Tell whether this call is the one that fetches fresh tokens: the row is as it was read, and no other does."""
    now = timezone.now()
    free = Q(refresher=None) | Q(refresher_until__lte=now)
    claimed = Authorisation.objects.filter(free, pk=kept.pk, sealed=kept.sealed)
    return bool(claimed.update(refresher=call, refresher_until=now + REFRESH_LEASE))


def keep_refreshed(pk: int, call: uuid.UUID, grant: Grant) -> bool:
    """Keep fresh tokens; tell whether the authorisation was still there, and the call its refresher."""
    mine = Authorisation.objects.filter(pk=pk, refresher=call)
    return bool(mine.update(**_columns(grant), refresher=None, refresher_until=None))


def give_up_refresh(pk: int, call: uuid.UUID) -> None:
    """Let another call try."""
    Authorisation.objects.filter(pk=pk, refresher=call).update(refresher=None, refresher_until=None)


@transaction.atomic
def end_refused(pk: int, call: uuid.UUID) -> None:
    """Forget an authorisation whose refresh was refused."""
    for row in Authorisation.objects.select_for_update().filter(pk=pk, refresher=call):
        _record(Action.AUTHORISATION_DISCONNECTED, pk, row.owner_id, row.server_id)
        row.delete()


def _record(action: Action, pk: int, user_id: int, server_id: int) -> None:
    audit.record(action, Object(ObjectKind.AUTHORISATION, pk), user=user_id, tool_server=server_id)


def _kept(row: Authorisation) -> Kept:
    return Kept(row.pk, row.sealed, Grant.model_validate_json(unseal(row.sealed)), row.expires_at)


def _columns(grant: Grant) -> dict[str, object]:
    return {"sealed": seal(grant.model_dump_json(exclude_none=True)), "expires_at": _end_of(grant.tokens)}


def _end_of(tokens: OAuthToken) -> datetime | None:
    if tokens.expires_in is None:
        return None
    seconds = min(max(tokens.expires_in, 0), _LONGEST.total_seconds())
    return timezone.now() + timedelta(seconds=seconds)
