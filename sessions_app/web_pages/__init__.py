"""Read one web page for a model: fetched of a public address and made into text, both in a process of its own.

`process` starts that process, and ends it when nobody waits any more; `worker` is what it does; `results` is what it
hands back. A server that a stranger owns can thus keep neither the event loop nor the memory of this host busy.
"""
