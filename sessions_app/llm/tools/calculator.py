"""Arithmetic that cannot hang: an expression is parsed, bounded, and only then computed."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable

MAX_LENGTH = 500
"""Characters of an expression; it bounds the depth too (Python's parser refuses more than 200 brackets)."""
MAX_BITS = 4096
"""Bits of an integer (some 1,200 digits), before and after every step."""

Number = int | float


class ExpressionError(ValueError):
    """The expression cannot be computed; `str()` says why, for the model and the user."""


_OPERATORS: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_FUNCTIONS: dict[str, Callable[[Number], Number]] = {
    "abs": abs,
    "ceil": math.ceil,
    "cos": math.cos,
    "exp": math.exp,
    "floor": math.floor,
    "log": math.log,
    "log10": math.log10,
    "round": round,
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tan": math.tan,
}
_CONSTANTS: dict[str, Number] = {"pi": math.pi, "e": math.e}


def calculate(expression: str) -> str:
    """The value of an arithmetic expression as text.

    Numbers, brackets, `+ - * / // % **`, `pi`, `e` and a few functions of one number. Raises ExpressionError.
    """
    if len(expression) > MAX_LENGTH:
        raise ExpressionError(f"The expression is longer than {MAX_LENGTH} characters.")
    try:
        tree = ast.parse(expression.strip(), mode="eval")
        return _shown(_value(tree.body))
    except ExpressionError:
        raise
    except ZeroDivisionError:
        raise ExpressionError("Division by zero.") from None
    except OverflowError:
        raise ExpressionError("The result is too large.") from None
    except (SyntaxError, RecursionError, MemoryError):
        raise ExpressionError("This is not an arithmetic expression.") from None
    except (ValueError, TypeError):
        raise ExpressionError("This has no value among the real numbers.") from None


def _value(node: ast.expr) -> Number:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return _bounded(number)
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _apply(op, _value(left), _value(right))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
            return _bounded(_FUNCTIONS[name](_value(argument)))
    raise ExpressionError("Only numbers, brackets, + - * / // % ** and a few functions are understood.")


def _apply(op: ast.operator, left: Number, right: Number) -> Number:
    whole = isinstance(left, int) and isinstance(right, int)
    # What a power of integers would need is known before it is computed.
    if whole and isinstance(op, ast.Pow) and abs(left) > 1 and abs(right) * int(left).bit_length() > MAX_BITS:
        raise ExpressionError("The result is too large.")
    return _bounded(_OPERATORS[type(op)](left, right))


def _bounded(number: Number) -> Number:
    if isinstance(number, complex):
        raise ExpressionError("This has no value among the real numbers.")
    if isinstance(number, int) and number.bit_length() > MAX_BITS:
        raise ExpressionError("The result is too large.")
    if isinstance(number, float) and not math.isfinite(number):
        raise ExpressionError("The result is too large.")
    return number


def _shown(number: Number) -> str:
    return (
        repr(int(number)) if isinstance(number, float) and number.is_integer() and abs(number) < 1e15 else repr(number)
    )
