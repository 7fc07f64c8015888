"""Whose turn it is, where the work of many users waits for what they share: threads, processes, the event loop."""
