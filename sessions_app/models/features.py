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

    @classmethod
    def complete(cls) -> None:
        """Make the rows that are not there yet."""
        there = set(cls._default_manager.values_list("feature", flat=True))
        missing = [cls(feature=feature) for feature in Feature if feature not in there]
        if missing:
            cls._default_manager.bulk_create(missing, ignore_conflicts=True)

    @classmethod
    def allows(cls, feature: Feature, user: str) -> models.Q:
        """Return the condition that a row's user, by the name of that field, may use a feature."""
        named = cls.groups.through._default_manager.filter(featurerule=feature.value)
        members = named.filter(group__user=models.OuterRef(user))
        return models.Q(~models.Exists(named)) | models.Q(models.Exists(members))
