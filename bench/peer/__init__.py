"""The host beside the best peer, in one run: Chainlit, with the same provider, the same answers, turn about.

Both keep what is said in SQLite; Chainlit's store is its own, for SQLAlchemy.
"""
