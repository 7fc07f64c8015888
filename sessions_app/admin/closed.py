"""What every admin of this site is made of: an address asks for nothing that its page does not offer.

Django lets an address filter a list by any column, and order it by any column of the list: each answer, a row or
none, then says something about a value that the reader may have no right to see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest, HttpResponse

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


class ClosedList(ChangeList):
    """A list that declared filters narrow, and that sortable columns order; nothing else does."""

    def get_filters(self, request: HttpRequest) -> tuple[list[Any], bool, dict[str, Any], bool, bool]:
        """Return what Django does; raise DisallowedModelAdminLookup for a parameter that no filter has taken."""
        found = super().get_filters(request)
        if remaining := found[2]:
            raise DisallowedModelAdminLookup(f"No filter of the list takes {', '.join(remaining)}.")
        return found

    def get_results(self, request: HttpRequest) -> None:
        """Read the page's rows; raise IncorrectLookupParameters for a value that the database cannot even look for."""
        try:
            super().get_results(request)
        except (OverflowError, ValueError, DataError) as error:
            raise IncorrectLookupParameters from error

    def get_ordering_field(self, field_name: Any) -> Any:
        """Return what a column is ordered by; None where it is not sortable, which Django heeds in links only."""
        return super().get_ordering_field(field_name) if field_name in (self.sortable_by or ()) else None


class TickedChoices(_ModelAdmin):
    """Related rows are chosen by boxes to tick: Django's two lists with arrows cannot be read to who does not see."""

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        """Return a field of boxes."""
        return super().formfield_for_manytomany(db_field, request, widget=CheckboxSelectMultiple, **kwargs)


class ClosedAdmin(_ModelAdmin):
    """The base of all registered admins; a test holds that there is no other.

    Without the right to a page, an id that exists gets the same answer as one that does not. ``nothing_yet`` says what
    it means that the list has no row.
    """

    nothing_yet = ""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the closed list."""
        return ClosedList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return a row; None for a key with a NUL, which PostgreSQL refuses to look for."""
        return None if "\0" in object_id else super().get_object(request, object_id, from_field)

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Give a popup the key alone, to which all relations here point. Django fails on the name of some relations."""
        return to_field == self.opts.pk.name

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Adding takes the right to change too: a new row says which names are taken, and may replace another."""
        return super().has_add_permission(request) and self.has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting takes the right to view too: the confirmation page names what would go."""
        return super().has_delete_permission(request, obj) and self.has_view_permission(request, obj)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Show a row's page, with what ``add_to_page`` adds."""
        self.add_to_page(request, context, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def add_to_page(self, request: HttpRequest, context: dict[str, Any], obj: Any) -> None:
        """Add to the page of a row what it shows besides its fields; None: one is being made."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for the right first; Django looks for the row first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)
