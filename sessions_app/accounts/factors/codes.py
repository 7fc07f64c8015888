"""Whether a code is right: of an authenticator app, or one for recovery. Each is good once, in whichever process.

A code of an app is that of its half minute, or of the one before or after it: clocks differ. Which of these were used
is kept with the factor, not merely the newest: a clock that jumped ahead and back locks nobody out. From when a
code is good until it is no more, four others may be: so the last five are kept.
"""

from __future__ import annotations

from collections.abc import Iterator

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa import app_settings
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from sessions_app.accounts.factors.owned import Type, of_type
from sessions_app.models.sealed import seal, unseal

PERIOD_SECONDS = 30
_TOLERANCE = 1
COUNT: int = app_settings.RECOVERY_CODE_COUNT
"""Recovery codes that are made at once."""

new_secret = generate_totp_secret


def matching_period(secret: str, code: str) -> int | None:
    """Return the half minute whose code this is; None: of none that is near."""
    for period in _near():
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, period))):
            return period
    return None


@transaction.atomic
def enrol(user: User, secret: str, period: int) -> None:
    """Let the user's app, which has shown the code of a period, be their factor, in the place of an earlier one."""
    of_type(user.pk, Type.TOTP).delete()
    row = TOTP.activate(user, secret).instance
    row.data["used"] = [period]
    row.save(update_fields=["data"])


@transaction.atomic
def take_code(user_id: int, code: str) -> bool:
    """Use up a code of the user's app; False where it is wrong or was used. Raises UnreadableSecret."""
    row = of_type(user_id, Type.TOTP).select_for_update().first()
    if row is None:
        return False
    secret, used = unseal(row.data["secret"]), row.data.get("used", [])
    period = matching_period(secret, code)
    if period is None or period in used:
        return False
    # Sealed anew, with the present SECRET_KEY.
    row.data = {"secret": seal(secret), "used": [period, *used[: 4 * _TOLERANCE]]}
    row.last_used_at = timezone.now()
    row.save(update_fields=["data", "last_used_at"])
    return True


def take_recovery_code(user_id: int, code: str) -> bool:
    """Use up one of the user's recovery codes; False where it is none of them. Raises UnreadableSecret."""
    row = of_type(user_id, Type.RECOVERY_CODES).first()
    return row is not None and RecoveryCodes(row).validate_code(code)


@transaction.atomic
def make_recovery_codes(user: User) -> list[str]:
    """Make new ones in the place of the earlier, and return them: they are shown once."""
    of_type(user.pk, Type.RECOVERY_CODES).delete()
    made: list[str] = RecoveryCodes.activate(user).generate_codes()
    return made


def recovery_codes_left(user_id: int) -> int:
    """Return how many are not used."""
    row = of_type(user_id, Type.RECOVERY_CODES).first()
    return COUNT - int(row.data["used_mask"]).bit_count() if row else 0


def _near() -> Iterator[int]:
    now = int(timezone.now().timestamp()) // PERIOD_SECONDS
    yield from (now, *(now + sign * step for step in range(1, _TOLERANCE + 1) for sign in (-1, 1)))
