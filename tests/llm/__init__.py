"""The agent's side of a turn, against a real provider on a loopback port."""
