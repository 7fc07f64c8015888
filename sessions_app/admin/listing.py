"""Lists that stay fast however many rows there are: no full count, an order that an index has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from sessions_app.admin.closed import ClosedAdmin

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator

PAGES_AHEAD = 10
_LAST_PAGE = 10**9  # beyond any table, and what a database can still count to


class HorizonPaginator(_Paginator):
    """Counts rows only as far as ten pages beyond the one asked for.

    ``count`` is exact up to the horizon; one more says that there are more.
    """

    def __init__(self, rows: QuerySet[Any], per_page: int, *, page: int) -> None:
        super().__init__(rows, per_page)
        self.horizon = (min(max(page, 1), _LAST_PAGE) + PAGES_AHEAD) * per_page

    @cached_property
    def count(self) -> int:
        """The number of rows, or one more than the horizon."""
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]  # the constructor takes no other
        return rows.order_by().values("pk")[: self.horizon + 1].count()

    @property
    def said(self) -> str:
        """The number of rows in words that are true."""
        return f"More than {self.horizon:,}" if self.count > self.horizon else f"{self.count:,}"


class ListingAdmin(ClosedAdmin):
    """A model's admin whose list costs the same at any size of the table."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()

    def get_paginator(
        self,
        request: HttpRequest,
        queryset: Any,
        per_page: int,
        orphans: int = 0,
        allow_empty_first_page: bool = True,
    ) -> Paginator[Any]:
        """Return a paginator without a full count; Django's own for an object's history."""
        if queryset.model is not self.model:
            return super().get_paginator(request, queryset, per_page, orphans, allow_empty_first_page)
        page = request.GET.get("p", "")
        return HorizonPaginator(queryset, per_page, page=int(page) if page.isdecimal() and len(page) < 10 else 1)


class InspectionAdmin(ListingAdmin):
    """Rows that can be seen and not changed."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds one by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes one by hand."""
        return False
