"""SCIM 2.0 (RFC 7643, 7644): an identity provider makes, changes and ends accounts, and says who is in which group."""
