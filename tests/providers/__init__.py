"""A real provider on a loopback port, for tests and the bench: three wires, scripted answers, raw bodies kept."""
