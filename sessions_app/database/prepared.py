"""Rows of models, written and read by statements that are made once, of their own fields: for what every turn does.

The ORM makes a statement anew each time: 400 to 900 µs of a processor for one that the database carries out in 50. Here
its text is made when it is first needed, and kept as long as the process lives; only the values change. No column is
named by hand, so a field that a model gets is written and read like all others.

Values are prepared and converted by the fields, as the ORM has it done. What the ORM does besides is left out: no
signals, no ``auto_now``, and no look at what a row names, which must have its key already. The only expressions are the
database's clock and defaults. Conditions are plain SQL, in which a table has its own name. All of it in a database
thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Generic, TypeAlias, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import AutoField, BooleanField, CharField, Field, Model, TextField
from django.db.models.expressions import DatabaseDefault
from django.db.models.functions import Now

from sessions_app.database import plain

M = TypeVar("M", bound=Model)

AnyField: TypeAlias = "Field[Any, Any]"
Kinds: TypeAlias = "tuple[type[Any] | None, ...]"
"""By what columns get their values: by an expression of the database (one of these types), or by a parameter: None."""

Converter: TypeAlias = "Callable[[Any, BaseDatabaseWrapper], Any]"
"""Makes Python's value of the database's."""

_EXPRESSIONS = (DatabaseDefault, Now)
# What goes to the driver as it is: the field would only look at it.
_AS_IT_IS: dict[type[Any], type[Any]] = {CharField: str, TextField: str, BooleanField: bool}


def insert(row: Model) -> None:
    """Insert a new row, and set what the database has given it: its key, its time."""
    model = type(row)
    fields = _own_fields(model)
    values = [_value_of(row, field) for field in fields]
    kinds = _kinds_of(values)
    sql, returned = _insertion(model, kinds)
    [given] = plain.rows(sql, _params(fields, values, kinds))
    here = connections[DEFAULT_DB_ALIAS]
    for (name, convert), value in zip(returned, given, strict=True):
        setattr(row, name, convert(value, here))
    row._state.adding, row._state.db = False, here.alias


def update(model: type[Model], columns: Mapping[str, Any], where: str, params: Iterable[Any]) -> int:
    """Write columns, by the names of their fields, of the rows that a condition holds for; return how many."""
    values, kinds = list(columns.values()), _kinds_of(columns.values())
    sql, fields = _change(model, tuple(columns), kinds)
    return plain.execute(f"{sql} WHERE {where}", [*_params(fields, values, kinds), *params])


class Selection(Generic[M]):
    """Rows of a model, each with the rows at the other ends of ``relations`` that lead to one row at most."""

    def __init__(self, model: type[M], *relations: str) -> None:
        self._model, self._relations = model, relations

    def where(self, condition: str, params: Iterable[Any]) -> list[M]:
        """Return the rows that a condition holds for."""
        sql, tables = _selection(self._model, self._relations)
        here = connections[DEFAULT_DB_ALIAS]
        return [_joined(tables, row, here) for row in plain.rows(f"{sql} WHERE {condition}", params)]


@dataclass(frozen=True, slots=True)
class _Table:
    """The part of a selected row that is of one table; ``relation`` leads to it, None for the first."""

    model: type[Model]
    relation: Any
    part: slice
    names: tuple[str, ...]
    converters: tuple[tuple[int, Converter], ...]
    key: int

    def made(self, row: Sequence[Any], here: BaseDatabaseWrapper) -> Any:
        """Return the object; None where the table has no row."""
        values = list(row[self.part])
        if values[self.key] is None:
            return None
        for place, convert in self.converters:
            values[place] = convert(values[place], here)
        return self.model.from_db(here.alias, self.names, values)


def _joined(tables: Sequence[_Table], row: Sequence[Any], here: BaseDatabaseWrapper) -> Any:
    first, *others = tables
    made = first.made(row, here)
    for table in others:
        other, relation = table.made(row, here), table.relation
        relation.set_cached_value(made, other)
        if other is not None and relation.one_to_one:
            relation.remote_field.set_cached_value(other, made)
    return made


def _value_of(row: Model, field: AnyField) -> Any:
    """Return what a field of a new row holds; a default of the database that is a plain value is set."""
    value = getattr(row, field.attname)
    if isinstance(value, DatabaseDefault) and not hasattr(field.db_default, "resolve_expression"):
        value = field.db_default
        setattr(row, field.attname, value)
    return value


def _kinds_of(values: Iterable[Any]) -> Kinds:
    return tuple(type(value) if isinstance(value, _EXPRESSIONS) else None for value in values)


def _params(fields: Iterable[AnyField], values: Iterable[Any], kinds: Kinds) -> list[Any]:
    here, given = connections[DEFAULT_DB_ALIAS], zip(fields, values, kinds, strict=True)
    return [_prepared(field, value, here) for field, value, kind in given if kind is None]


def _prepared(field: AnyField, value: Any, here: BaseDatabaseWrapper) -> Any:
    if value is None or _AS_IT_IS.get(type(field)) is type(value):
        return value
    return field.get_db_prep_save(value, here)


@cache
def _own_fields(model: type[Model]) -> tuple[AnyField, ...]:
    """The fields whose values an insertion gives."""
    return tuple(field for field in model._meta.concrete_fields if not isinstance(field, AutoField))


@cache
def _insertion(model: type[Model], kinds: Kinds) -> tuple[str, tuple[tuple[str, Converter], ...]]:
    """Return the statement, and what it returns: the name of each field, and what converts its value."""
    fields = _own_fields(model)
    key: Any = model._meta.pk
    returned = [key, *(field for field, kind in zip(fields, kinds, strict=True) if kind is not None)]
    columns, values = ", ".join(map(_column, fields)), ", ".join(map(_placeholder, fields, kinds))
    sql = f"INSERT INTO {_quoted(model._meta.db_table)} ({columns}) VALUES ({values})"  # nosec B608: all ours
    sql += f" RETURNING {', '.join(map(_column, returned))}"
    return sql, tuple((field.attname, _converter(field) or _same) for field in returned)


@cache
def _change(model: type[Model], names: tuple[str, ...], kinds: Kinds) -> tuple[str, tuple[AnyField, ...]]:
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    changes = ", ".join(
        f"{_column(field)} = {_placeholder(field, kind)}" for field, kind in zip(fields, kinds, strict=True)
    )
    return f"UPDATE {_quoted(model._meta.db_table)} SET {changes}", tuple(fields)  # nosec B608: all ours


@cache
def _selection(model: type[Model], names: tuple[str, ...]) -> tuple[str, tuple[_Table, ...]]:
    relations: list[Any] = [model._meta.get_field(name) for name in names]
    models = [model, *(relation.related_model for relation in relations)]
    ends = [0]
    for each in models:
        ends.append(ends[-1] + len(each._meta.concrete_fields))
    tables = tuple(
        _table(each, relation, slice(*part))
        for each, relation, part in zip(models, [None, *relations], pairwise(ends), strict=True)
    )
    columns = ", ".join(
        f"{_quoted(each._meta.db_table)}.{_column(field)}" for each in models for field in each._meta.concrete_fields
    )
    joins = "".join(map(_join, relations))
    return f"SELECT {columns} FROM {_quoted(model._meta.db_table)}{joins}", tables  # nosec B608: all ours


def _table(model: type[Model], relation: Any, part: slice) -> _Table:
    fields = model._meta.concrete_fields
    converters = [(place, convert) for place, field in enumerate(fields) if (convert := _converter(field))]
    key = next(place for place, field in enumerate(fields) if field.primary_key)
    return _Table(model, relation, part, tuple(field.attname for field in fields), tuple(converters), key)


def _join(relation: Any) -> str:
    [(own, other)] = relation.get_joining_fields()
    here, there = _quoted(own.model._meta.db_table), _quoted(other.model._meta.db_table)
    join = "LEFT JOIN" if relation.null else "JOIN"
    return f" {join} {there} ON {here}.{_column(own)} = {there}.{_column(other)}"


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _column(field: AnyField) -> str:
    return _quoted(str(field.column))


def _placeholder(field: AnyField, kind: type[Any] | None) -> str:
    """Return what stands for a column's value: an expression without a parameter, or the place of one."""
    if kind is None:
        return "%s"
    compiler = field.model._default_manager.all().query.get_compiler(connection=connection)
    sql: str = compiler.compile(field.db_default if kind is DatabaseDefault else Now())[0]
    return sql


def _same(value: Any, _: BaseDatabaseWrapper) -> Any:
    return value


def _converter(field: AnyField) -> Converter | None:
    """Return what makes Python's value of the database's; None where that is the same."""
    column: Any = field.get_col(field.model._meta.db_table)
    converters = [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]
    if not converters:
        return None

    def convert(value: Any, here: BaseDatabaseWrapper) -> Any:
        for each in converters:
            value = each(value, column, here)
        return value

    return convert
