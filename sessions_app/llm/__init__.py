"""The agent's side of a turn: what is sent to a model, and what comes back.

Nothing here knows the database: rows come in as plain values (`content.rows.Row`), and what a step brings goes out as
plain values (`step_events`). Pydantic AI and the providers' clients are imported when the first turn needs them, never
at start.

Rooms: `content` (typed parts, and the messages made of them), `wire` (bytes to and from providers), `tools`, and
`cache_ledger` (what was expected of the provider's cache, and why it had less). On top of them: a transcript in memory
(`cached_transcript`), a request made of it (`request`), a step (`step`), and the agent of a user (`agent`).
"""
