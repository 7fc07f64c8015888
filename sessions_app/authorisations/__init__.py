"""Users' own authorisations at tool servers: how one is asked for, kept, refreshed, used and ended (OAuth 2.1, as MCP
has it).

A tool server that wants to know whose call it is names an authorisation server. The user's browser is led there, and
comes back with a code; of that code come tokens, which are kept sealed, for this user and this tool server alone.
"""
