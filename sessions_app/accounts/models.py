"""What the throttle counts."""

from django.db import models


class Attempt(models.Model):
    """Somebody knocked at a door. `key` is a keyed hash: a password typed as a user name stays unreadable."""

    key = models.CharField(max_length=64)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["key", "at"]), models.Index(fields=["at"]))

    def __str__(self) -> str:
        return f"{self.key[:8]} at {self.at:%Y-%m-%d %H:%M}"
