"""What an operator may keep for the members of groups: features of the site."""

from __future__ import annotations

from django.db import models


class Feature(models.TextChoices):
    """A part of the site that may be for the members of some groups alone."""

    FILES = "files", "Files"
    API_TOKENS = "api_tokens", "API tokens"
    SHARING = "sharing", "Sharing"


class FeatureRule(models.Model):
    """Who may use a feature: the members of one of ``groups``; everybody where there are none, or is no row."""

    feature = models.CharField(max_length=20, choices=Feature, primary_key=True)
    groups = models.ManyToManyField(
        "auth.Group",
        blank=True,
        related_name="+",
        help_text="Only users in one of these groups may use it. None: everybody.",
    )

    class Meta:
        verbose_name = "feature"
        verbose_name_plural = "what groups may"
        constraints = [models.CheckConstraint(condition=models.Q(feature__in=Feature.values), name="feature_known")]

    def __str__(self) -> str:
        return str(self.get_feature_display())
