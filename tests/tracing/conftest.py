from tests.turns.fixtures import host, model, new_host, session, user

__all__ = ["host", "model", "new_host", "session", "user"]
