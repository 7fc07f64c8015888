"""The ledger of the provider's cache: what each request expected of it (`requests`, `rolling_digest`), what it got and
why that was less (`entries`, `causes`; the provider's own word, `diagnoses`), and what it cost (`prices`).

Pure values, but for `software`, the digest of the code that makes a request's bytes.
"""
