"""Pages of `/metrics`, read as Prometheus reads them."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

Figures = dict[str, float]


def figures(page: str) -> Figures:
    """The project's own samples of a page, by name and labels (in the order of their names)."""
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    return {
        sample.name + "".join(f" {label}={value}" for label, value in sorted(sample.labels.items())): sample.value
        for sample in samples
        if sample.name.startswith("hermes_")
    }


def rises(before: Figures, after: Figures) -> Figures:
    """What is another figure than before, and by how much; nothing of sizes, and of histograms the counts only."""
    moved = {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)}
    vague = ("_bucket", "_sum", "_bytes")
    return {name: rise for name, rise in moved.items() if not any(word in name for word in vague)}
