from tests.turns.fixtures import host, model, new_host, quiet_host, session, stuck_thread, user

__all__ = ["host", "model", "new_host", "quiet_host", "session", "stuck_thread", "user"]
