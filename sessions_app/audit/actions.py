"""What is recorded: the names of actions and of the kinds of things that they are done to.

To record something more, add a member here, and call ``record`` in the transaction that does it. A name is stored: it
is never changed. It reads as the object and what was done to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Action(StrEnum):
    """What was done."""

    # Logins. The object is the user; of a failure, who the name typed in belongs to, if anybody.
    LOGGED_IN = "login.made"
    LOGIN_FAILED = "login.failed"
    LOGIN_THROTTLED = "login.throttled"
    LOGGED_OUT = "login.left"
    LOGINS_ENDED = "login.ended"
    PASSWORD_CHANGED = "password.changed"  # nosec B105
    PASSWORD_REFUSED = "password.refused"  # nosec B105
    PASSWORD_LINK_ASKED = "password.link_asked"  # nosec B105

    # Tokens of the API.
    TOKEN_MADE = "token.made"  # nosec B105
    TOKEN_CHANGED = "token.changed"  # nosec B105
    TOKEN_REVOKED = "token.revoked"  # nosec B105

    # Who may what.
    USER_CREATED = "user.created"
    USER_CHANGED = "user.changed"
    USER_DELETED = "user.deleted"
    USER_ENDED = "user.ended"
    """An identity provider has deleted the account, which is deactivated and not there for it any more."""
    USER_RETURNED = "user.returned"
    """It has made that account again."""
    GROUP_CREATED = "group.created"
    GROUP_CHANGED = "group.changed"
    GROUP_DELETED = "group.deleted"
    GROUP_HANDED_OVER = "group.handed_over"
    GROUP_TAKEN_BACK = "group.taken_back"

    FEATURE_CHANGED = "feature.changed"
    FACTOR_ADDED = "factor.added"
    FACTOR_REMOVED = "factor.removed"
    LINK_MADE = "link.made"
    LINK_REMOVED = "link.removed"
    IDENTITY_PROVIDER_CREATED = "identity_provider.created"
    IDENTITY_PROVIDER_CHANGED = "identity_provider.changed"
    IDENTITY_PROVIDER_DELETED = "identity_provider.deleted"

    BUDGET_CREATED = "budget.created"
    BUDGET_CHANGED = "budget.changed"
    BUDGET_DELETED = "budget.deleted"

    # What is deleted when.
    RETENTION_CREATED = "retention.created"
    RETENTION_CHANGED = "retention.changed"
    RETENTION_DELETED = "retention.deleted"
    HOLD_MADE = "hold.made"
    HOLD_ENDED = "hold.ended"
    DELETION_ASKED = "deletion.asked"
    DELETION_ENDED = "deletion.ended"
    """It was taken back, or is done: then deletions of the chats or of the account stand before it."""

    # What there is to talk to.
    PROFILE_CREATED = "profile.created"
    PROFILE_CHANGED = "profile.changed"
    PROFILE_DELETED = "profile.deleted"
    PROFILE_APPLIED = "profile.applied"
    TOOL_SERVER_CREATED = "tool_server.created"
    TOOL_SERVER_CHANGED = "tool_server.changed"
    TOOL_SERVER_DELETED = "tool_server.deleted"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_DELETED = "webhook.deleted"
    WEBHOOK_STOPPED = "webhook.stopped"
    """The site has switched it off."""
    WEBHOOK_TESTED = "webhook.tested"
    WEBHOOK_RESENT = "webhook.resent"

    # Where one acts for another server, or lets it act.
    AUTHORISATION_CONNECTED = "authorisation.connected"
    AUTHORISATION_DISCONNECTED = "authorisation.disconnected"
    APPROVAL_DECIDED = "approval.decided"

    # What was said, seen as a whole.
    TRANSCRIPT_READ = "transcript.read"
    TRANSCRIPTS_SEARCHED = "transcript.searched"
    SESSION_EXPORTED = "session.exported"
    SESSION_DELETED = "session.deleted"
    SHARE_MADE = "share.made"
    SHARE_REVOKED = "share.revoked"
    EXPORT_ASKED = "export.asked"
    EXPORT_TAKEN = "export.taken"
    IMPORT_ASKED = "import.asked"
    AUDIT_EXPORTED = "audit.exported"


class ObjectKind(StrEnum):
    """What it was done to. The value is stored."""

    AUDIT = "audit"
    AUTHORISATION = "authorisation"
    APPROVAL = "approval"
    BUDGET = "budget"
    DELETION = "deletion"
    FACTOR = "factor"
    FEATURE = "feature"
    GROUP = "group"
    HOLD = "hold"
    IDENTITY_PROVIDER = "identity_provider"
    JOB = "job"
    LINK = "link"
    """Between a user and who they are at an identity provider."""
    PROFILE = "profile"
    RETENTION = "retention"
    SESSION = "session"
    SHARE = "share"
    TOKEN = "token"  # nosec B105
    TOOL_SERVER = "tool_server"
    USER = "user"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Object:
    """One thing, by its id, which may be a name that we gave. Without one: none in particular, or none that exists."""

    kind: ObjectKind
    id: int | UUID | str | None = None
