"""Fair scheduling: whose work runs next where many users wait for a thread, a process or the event loop."""
