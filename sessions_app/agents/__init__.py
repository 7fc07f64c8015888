"""The agent's side of a turn: what is sent to a model, and what comes back.

Nothing here knows the database: rows come in as plain values (`history.Row`), and results go out as plain values
(`pieces`). Pydantic AI and the providers' clients are imported when the first turn needs them, never at start.
"""
