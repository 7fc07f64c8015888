"""Whether an ID token may be believed (OpenID Connect Core, 3.1.3.7): its signature, who it is from, for whom, when.

The signature is checked though the token comes straight from the provider: plain HTTP inside is an operator's choice.
"""

from __future__ import annotations

from typing import Any

import jwt
from allauth.socialaccount.models import SocialAccount

from sessions_app.accounts.providers.requests import UnusableAnswer

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""None with a shared secret: who knows the client's could sign."""
LEEWAY_SECONDS = 120
"""How far the provider's clock and ours may be apart."""
LONGEST_SUBJECT: int = SocialAccount._meta.get_field("uid").max_length or 0


def read_id_token(token: object, keys: dict[str, Any], *, issuer: str, client_id: str) -> dict[str, Any]:
    """Return the claims of an ID token. Raises UnusableAnswer."""
    if not isinstance(token, str):
        raise UnusableAnswer("there was no ID token")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key(token, keys),
            algorithms=ALGORITHMS,
            issuer=issuer,
            audience=client_id,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
    # Beside its own errors: what is in keys of the wrong type.
    except (jwt.PyJWTError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise UnusableAnswer(f"its ID token is not believed ({type(error).__name__})") from error
    if claims.get("azp", client_id) != client_id:
        raise UnusableAnswer("its ID token is for another client")
    if not is_subject(claims["sub"]):
        raise UnusableAnswer("it names a subject that cannot be kept")
    return claims


def is_subject(sub: object) -> bool:
    """Whether it can be kept as the provider's name for somebody."""
    return isinstance(sub, str) and 0 < len(sub) <= LONGEST_SUBJECT and sub.isprintable()


def _key(token: str, keys: dict[str, Any]) -> jwt.PyJWK:
    """Return the key that the token says it was signed with; where it says none, the only one."""
    found = jwt.PyJWKSet.from_dict(keys).keys
    usable = [key for key in found if key.public_key_use in (None, "sig")]
    if (name := jwt.get_unverified_header(token).get("kid")) is not None:
        usable = [key for key in usable if key.key_id == name]
    if len(usable) != 1:
        raise UnusableAnswer("its ID token was signed with a key that it does not list")
    return usable[0]
