"""Budgets: what is reserved, spent, refused and told."""
