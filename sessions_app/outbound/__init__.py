"""Requests to addresses that a stranger has chosen: a model, a page that it read, a user, another server.

What they name must not lead into the network of this host. `addresses` says which addresses are public; `connecting`
looks a name up once and connects to an address that it has checked; `client` makes of that a client for HTTP;
`fetching` brings a page with it, within bounds of size and time.
"""
