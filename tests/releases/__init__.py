"""Databases as earlier releases have left them, with what those releases made of their rows.

`NAME.sqlite3.gz` is a database, `NAME.json` what the release of that name sent and answered for its sessions
(`measure`). `python -m tests.releases.make NAME` makes both, by running the code as it is: do so before the stored
form of a row changes, and never make a release's files again by later code.
"""
