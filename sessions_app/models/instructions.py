"""What users ask of every assistant, in their own words."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class UserInstructions(models.Model):
    """A user's own instructions: part of the prompt of each session that is made from now on.

    A session keeps those that it was made with. For nobody but the user, and whoever may read system prompts.
    """

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    text = models.TextField()

    def __str__(self) -> str:
        return f"instructions of user {self.owner_id}"
