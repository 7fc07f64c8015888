"""Chaos: everything that can die does, at random and from one seed; afterwards nothing is lost, doubled or torn."""
