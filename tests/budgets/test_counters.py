"""The counters of budgets against a model of them, whatever turns, users, operators and the calendar do."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models.functions import Now
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from sessions_app.budgets import binding, holding
from sessions_app.budgets.amounts import Cost
from sessions_app.budgets.estimates import LEAST_ANSWER, Need
from sessions_app.errors import TooMany
from sessions_app.llm.cache_ledger.prices import TokenPrices
from sessions_app.models import Budget, BudgetPeriod, Per, Turn, TurnStatus, Unit
from sessions_app.session_store import chats

pytestmark = pytest.mark.one_database

PRICES = TokenPrices(1e-9, 2e-9)
"""A billionth of a dollar for a token of a prompt, two for one of an answer."""
START = datetime(2026, 1, 30, 22, tzinfo=UTC)
counts = st.integers(0, 3_000)


@dataclass
class Modelled:
    """A budget as it should be: what was spent and is held of it, by the day on which a period began."""

    row: Budget
    users: set[int]
    amount: int
    spent: dict[str, int] = field(default_factory=dict)
    held: dict[tuple[str, int], int] = field(default_factory=dict)

    def cost(self, prompt: int, answer: int) -> int:
        return prompt + answer * (2 if self.row.unit == Unit.USD else 1)

    def reserved(self, began: str) -> int:
        return sum(amount for (day, _), amount in self.held.items() if day == began)

    def room(self, began: str, prompt: int) -> int:
        left = self.amount - self.spent.get(began, 0) - self.reserved(began) - prompt
        return left // 2 if self.row.unit == Unit.USD and left > 0 else left


class Counters(RuleBasedStateMachine):
    """One database, three users, two of them in a group at first."""

    turns = Bundle("turns")

    def __init__(self) -> None:
        super().__init__()
        self.ending = ExitStack()
        self.ending.enter_context(transaction.atomic())
        self.patch = self.ending.enter_context(pytest.MonkeyPatch.context())
        self.now = START
        self.users = [User.objects.create_user(f"user{n}") for n in range(3)]
        self.sessions = [chats.create(user.pk, "").id for user in self.users]
        self.group = Group.objects.create(name="staff")
        self.group.user_set.add(*self.users[:2])
        self.budgets: list[Modelled] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.ending.close()

    @initialize(amounts=st.lists(st.integers(500, 20_000), min_size=4, max_size=4))
    def set(self, amounts: list[int]) -> None:
        members = {user.pk for user in self.users[:2]}
        owners: list[tuple[dict[str, Any], set[int]]] = [
            ({"user": self.users[0]}, {self.users[0].pk}),
            ({"group": self.group}, members),
        ]
        kinds = [(Per.DAY, Unit.TOKENS), (Per.MONTH, Unit.USD)]
        for amount, (owner, bound), (per, unit) in zip(
            amounts, [owner for owner in owners for _ in kinds], kinds * 2, strict=True
        ):
            row = Budget.objects.create(per=per, unit=unit, amount=amount, **owner)
            self.budgets.append(Modelled(row, bound, amount))

    def began(self, modelled: Modelled) -> str:
        today = self.now.date()
        return str(today if modelled.row.per == Per.DAY else today.replace(day=1))

    @rule(target=turns, number=st.integers(0, 2), prompt=counts, answer=st.integers(1, 1_000))
    def admit(self, number: int, prompt: int, answer: int) -> object:
        user = self.users[number]
        bound = [modelled for modelled in self.budgets if user.pk in modelled.users]
        room = min((modelled.room(self.began(modelled), prompt) for modelled in bound), default=answer)
        turn = Turn(owner=user, chat_session_id=self.sessions[number], message_id=uuid.uuid4(), claim=uuid.uuid4())
        turn.heartbeat_at = Now()
        Turn.objects.filter(status=TurnStatus.RUNNING).update(status=TurnStatus.COMPLETE)  # one a session runs
        self.patch.setitem(binding._NOW, "sqlite", f"'{self.now.isoformat()}'")
        if room < min(LEAST_ANSWER, answer):
            with pytest.raises(TooMany):
                holding.admit(user.pk, turn, Need(prompt, answer, PRICES))
            return multiple()
        holding.admit(user.pk, turn, Need(prompt, answer, PRICES))
        turn.status = TurnStatus.RUNNING
        turn.save()
        for modelled in bound:
            modelled.held[self.began(modelled), turn.pk] = modelled.cost(prompt, min(answer, room))
        return turn

    @rule(turn=turns, used=counts, prompt=counts, answer=st.integers(1, 2_000))
    def extend(self, turn: Turn, used: int, prompt: int, answer: int) -> None:
        """Another request of a turn, which has used something before."""
        row = Turn.objects.get(pk=turn.pk)
        if row.held is None:
            return
        Turn.objects.filter(pk=turn.pk).update(status=TurnStatus.RUNNING)
        own = [(m, day) for m in self.budgets for day, pk in m.held if pk == turn.pk]
        # Where it was reserved, whatever the calendar says now.
        rooms = []
        for modelled, day in own:
            before = modelled.held.pop((day, turn.pk))
            rooms.append(modelled.room(day, prompt + used))
            modelled.held[day, turn.pk] = before
        room = min(rooms)
        if room < 1:
            with pytest.raises(TooMany):
                holding.extend(turn, Cost(used, used), prompt, answer, 1)
        else:
            held = holding.extend(turn, Cost(used, used), prompt, answer, 1)
            assert held.answer == min(answer, room)
            for modelled, day in own:
                modelled.held[day, turn.pk] = modelled.cost(prompt, held.answer) + used
        Turn.objects.filter(pk=turn.pk).update(status=TurnStatus.COMPLETE)

    @rule(turn=turns, tokens=counts)
    def settle(self, turn: Turn, tokens: int) -> None:
        """Its end is stored: by its process, or by the one that recovers it. A second time changes nothing."""
        holding.settle(Turn.objects.get(pk=turn.pk), Cost(tokens, tokens))
        for modelled in self.budgets:
            for day, pk in list(modelled.held):
                if pk == turn.pk:
                    del modelled.held[day, pk]
                    modelled.spent[day] = modelled.spent.get(day, 0) + tokens

    @rule(turns=st.lists(turns, max_size=3, unique_by=lambda turn: turn.pk))
    def withdraw(self, turns: list[Turn]) -> None:
        rows = Turn.objects.filter(pk__in=[turn.pk for turn in turns])
        holding.release(list(rows))
        rows.update(held=None)
        for modelled in self.budgets:
            for day, pk in list(modelled.held):
                if pk in {turn.pk for turn in turns}:
                    del modelled.held[day, pk]

    @rule(number=st.integers(0, 2), tokens=counts)
    def charge(self, number: int, tokens: int) -> None:
        """A title."""
        self.patch.setitem(binding._NOW, "sqlite", f"'{self.now.isoformat()}'")
        holding.charge(self.users[number].pk, Cost(tokens, tokens))
        for modelled in self.budgets:
            if self.users[number].pk in modelled.users:
                day = self.began(modelled)
                modelled.spent[day] = modelled.spent.get(day, 0) + tokens

    @rule(number=st.integers(0, 3), amount=st.integers(0, 20_000))
    def change(self, number: int, amount: int) -> None:
        """Raised, or lowered under what is reserved."""
        modelled = self.budgets[number]
        Budget.objects.filter(pk=modelled.row.pk).update(amount=amount)
        modelled.amount = amount

    @rule(number=st.integers(0, 2))
    def move(self, number: int) -> None:
        """A user joins the group, or leaves it."""
        user, shared = self.users[number], [modelled for modelled in self.budgets if modelled.row.group_id]
        joins = user.pk not in shared[0].users
        (self.group.user_set.add if joins else self.group.user_set.remove)(user)
        for modelled in shared:
            (modelled.users.add if joins else modelled.users.discard)(user.pk)

    @rule(hours=st.integers(-30, 60))
    def wait(self, hours: int) -> None:
        """Time passes; or the clock jumps, also back."""
        self.now += timedelta(hours=hours)

    @invariant()
    def the_counters_are_those_of_the_model(self) -> None:
        stored = {
            (row.budget_id, str(row.began)): (row.spent, row.reserved)
            for row in BudgetPeriod.objects.all()
            if row.spent or row.reserved
        }
        modelled = {}
        for each in self.budgets:
            for day in {*each.spent, *(day for day, _ in each.held)}:
                if counters := (each.spent.get(day, 0), each.reserved(day)):
                    modelled[each.row.pk, day] = counters
        assert stored == {key: counters for key, counters in modelled.items() if any(counters)}


def test_the_counters_are_those_of_a_model(db: None) -> None:
    run_state_machine_as_test(Counters, settings=settings(max_examples=12, stateful_step_count=25, deadline=None))
