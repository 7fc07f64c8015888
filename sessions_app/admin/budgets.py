"""Budgets in admin: set, changed and lifted; with what is spent of each in its present period, and when it resets."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from sessions_app.admin.listing import ListingAdmin
from sessions_app.admin.words import moment, number, users_named
from sessions_app.budgets import binding
from sessions_app.budgets.amounts import dollars_of, nanodollars_of
from sessions_app.budgets.binding import of_budget
from sessions_app.models import Budget, Unit
from sessions_app.models.budgets import MOST, MOST_TOKENS

FIGURES = ("spent", "reserved", "left", "resets", "unpriced")

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Budget]

else:
    _ModelForm = forms.ModelForm


class BudgetForm(_ModelForm):
    """A budget, whose amount is written in dollars or tokens. Whose it is, and for what, stays as it was made."""

    user_name = forms.CharField(
        label="User", required=False, max_length=150, help_text="By name. Or choose a group below."
    )
    limit = forms.DecimalField(
        min_value=0,
        max_digits=20,
        decimal_places=9,
        help_text="US dollars at list prices, or a whole number of tokens of prompts and answers together. 0 allows "
        "nothing. What is under way when a budget is lowered goes on with what it holds.",
    )

    class Meta:
        model = Budget
        fields = ("group", "per", "unit", "warn_at")
        help_texts = {
            "group": "Its members share one amount.",
            "per": "A calendar period, in the time zone of the site.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            amount = self.instance.amount
            limit = dollars_of(amount).normalize() if self.instance.unit == Unit.USD else Decimal(amount)
            self.initial["limit"] = f"{limit:f}"

    def clean(self) -> dict[str, Any]:
        """Make sure that it is somebody's, and that its amount is one of its unit."""
        cleaned = super().clean() or self.cleaned_data
        if not self.instance.pk:
            self._own(cleaned)
        limit, unit = cleaned.get("limit"), cleaned.get("unit") or self.instance.unit
        if limit is None or not unit:
            return cleaned
        if unit == Unit.TOKENS and limit != int(limit):
            self.add_error("limit", "Tokens are whole numbers.")
        elif limit > (MOST if unit == Unit.USD else MOST_TOKENS):
            self.add_error("limit", "That is more than can be counted.")
        else:
            self.instance.amount = nanodollars_of(limit) if unit == Unit.USD else int(limit)
        return cleaned

    def _own(self, cleaned: dict[str, Any]) -> None:
        name, group = cleaned.get("user_name"), cleaned.get("group")
        if bool(name) == bool(group):
            raise forms.ValidationError("Name a user, or choose a group whose members share it, and not both.")
        users = get_user_model()
        self.instance.user = users._default_manager.filter(**{users.USERNAME_FIELD: name}).first() if name else None
        if name and self.instance.user is None:
            self.add_error("user_name", "There is no user of this name.")
            return
        same = Budget.objects.filter(
            user=self.instance.user, group=group, per=cleaned.get("per"), unit=cleaned.get("unit")
        )
        if same.exists():
            raise forms.ValidationError("There is such a budget already. Change that one.")


class BudgetAdmin(ListingAdmin):
    """Who may see budgets sees whose they are, and what is spent of them: no word of what it was spent for."""

    form = BudgetForm
    nothing_yet = "What users spend has no bound."
    list_display = ("of", "period", "limit_set", *FIGURES)
    list_select_related = ("user", "group")
    list_filter = ("per", "unit")
    ordering = ("-id",)
    search_fields = ("user__username", "group__name")
    search_help_text = "Name of the user or of the group"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Budget]:
        """Return the budgets with the counters of their present periods."""
        return binding.present(super().get_queryset(request).select_related(*self.list_select_related))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return what is shown: of one that exists also what is spent."""
        if obj is None:
            return ("user_name", "group", "per", "unit", "limit", "warn_at")
        limit = "limit" if self.has_change_permission(request, obj) else "limit_set"
        return ("of", "per", "unit", limit, "warn_at", *FIGURES)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return what cannot be changed: whose it is and for what, once there are counters for that."""
        return ("of", "per", "unit", "limit_set", *FIGURES) if obj else ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look for names of users and of groups."""
        term = search_term.strip()
        if not term:
            return queryset, False
        of_users = queryset.filter(user__in=users_named(term))
        return of_users | queryset.filter(group__name__icontains=term), False

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Budget]) -> None:
        """Lift budgets; one that a turn reserves of at this moment, after that."""
        with transaction.atomic():
            rows = Budget.objects.filter(pk__in=queryset.values("pk")).order_by("pk")
            Budget.objects.filter(pk__in=[row.pk for row in rows.select_for_update()]).delete()

    def delete_model(self, request: HttpRequest, obj: Budget) -> None:
        """Lift one budget."""
        self.delete_queryset(request, Budget.objects.filter(pk=obj.pk))

    @admin.display(description="of")
    def of(self, row: Budget) -> str:
        """Whose it is."""
        return str(row.user) if row.user else f"group {row.group}"

    @admin.display(description="per")
    def period(self, row: Budget) -> str:
        """For how long it lasts."""
        return row.get_per_display().lower()

    @admin.display(description="limit")
    def limit_set(self, row: Budget) -> str:
        """What may be spent."""
        return of_budget(row).written(row.amount)

    @admin.display(description="spent")
    def spent(self, row: Budget) -> str:
        """What is spent in the present period."""
        bound = of_budget(row)
        share = f" ({bound.spent / bound.amount:.0%})" if bound.amount else ""
        return f"{bound.written(bound.spent)}{share}"

    @admin.display(description="reserved")
    def reserved(self, row: Budget) -> str:
        """What turns hold that are under way or wait."""
        return of_budget(row).written(of_budget(row).reserved)

    @admin.display(description="left")
    def left(self, row: Budget) -> str:
        """What is neither."""
        return of_budget(row).written(max(0, of_budget(row).left))

    @admin.display(description="resets")
    def resets(self, row: Budget) -> str:
        """When the next period begins."""
        return moment(of_budget(row).period.ends)

    @admin.display(description="without a price")
    def unpriced(self, row: Budget) -> str:
        """How much was asked of models whose price nobody knows, which counts as nothing in dollars."""
        return number(of_budget(row).unpriced) if row.unit == Unit.USD else "-"
