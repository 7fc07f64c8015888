"""The audit: who did what, to what, from where and when, without a word of what was said.

    with transaction.atomic():
        token.delete()
        audit.record(Action.TOKEN_REVOKED, Object(ObjectKind.TOKEN, pk), user=token.owner_id)

``record`` is called inside the transaction of what it records, anywhere in it. ``actions`` has the names, ``details``
the keys that a row may have; who acts and where from is known from the door (``actors``).
"""

from sessions_app.audit.actions import Action, Object, ObjectKind
from sessions_app.audit.actors import VISITOR, Actor, Origin, acting, program, user
from sessions_app.audit.details import Details, UnsafeDetail, name_of
from sessions_app.audit.recording import NoAuditHead, record

__all__ = [
    "VISITOR",
    "Action",
    "Actor",
    "Details",
    "NoAuditHead",
    "Object",
    "ObjectKind",
    "Origin",
    "UnsafeDetail",
    "acting",
    "name_of",
    "program",
    "record",
    "user",
]
