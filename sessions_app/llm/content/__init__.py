"""The content of messages: rows with typed parts (`parts`, `codec`, `rows`), and the messages made of them (`history`).

Everything here is a pure function of what is stored. Nothing outside `codec` sees the stored form of a part.
"""
