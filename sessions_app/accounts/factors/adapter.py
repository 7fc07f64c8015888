"""What allauth asks this site about second factors (`settings.MFA_ADAPTER`)."""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter

from sessions_app.models.sealed import seal, unseal


class FactorsAdapter(DefaultMFAAdapter):
    """Secrets are sealed in the database, like the keys of model servers; people are called by their user names."""

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Raises UnreadableSecret."""
        return unseal(encrypted_text)

    def _get_user_identifier(self, user: Any) -> str:
        name: str = user.get_username()
        return name

    def build_totp_svg(self, url: str) -> str:
        """The picture as a part of a page: without a head of its own."""
        picture: str = super().build_totp_svg(url)
        return picture.partition("?>")[2]
