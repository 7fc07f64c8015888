"""Record whatever is made, changed or deleted of a model, by whichever page, command or program that uses the ORM.

A row names the fields that have changed, and no value but of flags. Of a save by itself, outside a transaction (a
shell), the row is written right after it, by itself. ``QuerySet.update`` and SQL are not seen: who uses them records.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model
from django.db.models.signals import m2m_changed, post_save, pre_delete, pre_save

from sessions_app.audit.actions import Action, Object, ObjectKind
from sessions_app.audit.details import Details
from sessions_app.audit.recording import record

_BEFORE = "_hermes_audit_before"


def _nothing(_: Any) -> Details:
    return {}


@dataclass(frozen=True)
class Watched:
    """What is recorded of a model; without an action, nothing. ``ignored`` are fields that are no news.

    ``told`` are flags whose new value is told, by their keys in the details; ``describe`` returns what is said of a row
    whatever is done to it.
    """

    model: type[Model]
    kind: ObjectKind
    created: Action | None
    changed: Action | None
    deleted: Action | None
    ignored: Collection[str] = ("created_at", "updated_at")
    told: Mapping[str, str] = field(default_factory=dict)
    describe: Callable[[Any], Details] = _nothing

    def connect(self) -> None:
        """Begin to watch, for as long as the process lives."""
        for signal, receiver in (
            (pre_save, self._note_before),
            (post_save, self._record_saved),
            (pre_delete, self._record_deleted),
        ):
            signal.connect(receiver, sender=self.model, weak=False)

    def object(self, instance: Any) -> Object:
        """Return what a row of the audit names."""
        return Object(self.kind, instance.pk)

    def changes(self, instance: Any, fields: Collection[str]) -> None:
        """Record that fields of a row have changed."""
        told = {key: getattr(instance, name) for name, key in self.told.items() if name in fields}
        self._record(self.changed, instance, {"fields": fields, **told})

    def _note_before(
        self, instance: Any, raw: bool = False, update_fields: Collection[str] | None = None, **_: Any
    ) -> None:
        instance.__dict__.pop(_BEFORE, None)
        names = {each.attname for each in self.model._meta.concrete_fields if not each.primary_key} - {*self.ignored}
        if update_fields is not None:
            names &= {self.model._meta.get_field(name).attname for name in update_fields}  # type: ignore[union-attr]
        if names and not raw and not instance._state.adding:
            instance.__dict__[_BEFORE] = self.model._base_manager.filter(pk=instance.pk).values(*names).first()

    def _record_saved(self, instance: Any, created: bool, raw: bool = False, **_: Any) -> None:
        before: Mapping[str, Any] = instance.__dict__.pop(_BEFORE, None) or {}
        if raw:
            return  # a dump is loaded
        if created:
            told = {key: getattr(instance, name) for name, key in self.told.items()}
            self._record(self.created, instance, told)
        elif changed := {name for name, value in before.items() if getattr(instance, name) != value}:
            self.changes(instance, changed)

    def _record_deleted(self, instance: Any, **_: Any) -> None:
        self._record(self.deleted, instance, {})

    def _record(self, action: Action | None, instance: Any, details: Any) -> None:
        if action is not None:
            record(action, self.object(instance), **details, **self.describe(instance))


class WatchedPasses(Watched):
    """What lets others in until it expires: tokens, and links to chats. Then it is tidied away, and not revoked."""

    def _record_deleted(self, instance: Any, **_: Any) -> None:
        if not instance.has_expired:
            super()._record_deleted(instance)


@dataclass(frozen=True)
class WatchedSet:
    """What is recorded of a many-to-many field: what was added and removed, named as ``name`` says of their keys.

    ``added`` and ``removed`` are the keys of the details.
    """

    model: type[Model]
    field: str
    kind: ObjectKind
    changed: Action
    added: str
    removed: str
    name: Callable[[Collection[int]], Collection[object]] = sorted

    def connect(self) -> None:
        """Begin to watch, for as long as the process lives."""
        through = self.model._meta.get_field(self.field).remote_field.through  # type: ignore[union-attr]
        m2m_changed.connect(self._record, sender=through, weak=False)

    def _record(self, instance: Any, action: str, reverse: bool, pk_set: Collection[int] | None, **_: Any) -> None:
        if action not in ("post_add", "post_remove", "pre_clear"):
            return
        key = self.added if action == "post_add" else self.removed
        others = self._others(instance, reverse=reverse) if pk_set is None else pk_set
        # From the other side: the instance is what each of these has got, or lost.
        pairs = [(pk, [instance.pk]) for pk in sorted(others)] if reverse else [(instance.pk, others)]
        for pk, values in pairs:
            if values:
                told: Any = {key: self.name(values)}
                record(self.changed, Object(self.kind, pk), **told)

    def _others(self, instance: Any, *, reverse: bool) -> Collection[int]:
        if not reverse:
            return list(getattr(instance, self.field).values_list("pk", flat=True))
        return list(self.model._base_manager.filter(**{self.field: instance}).values_list("pk", flat=True))
