"""What the host costs, measured beside the least that any host must pay.

`python -m bench` prints one table, `--quick` a rougher one in less than a minute, `python -m bench profile` where a
turn's CPU goes. Three processes share the machine: the host (a real `manage.py serve`), the loopback provider, and
this one, which is the client of both. The *floor* is httpx2 reading the same answer from the same provider for the
same request body; each turn of the host is followed by one call of the floor, so whatever else the machine is doing
hits both. `python -m bench cache` has a real engine in the provider's place, and counts the tokens that it has to
evaluate; `python -m bench search` tells what others' messages cost a search, `python -m bench steering` what a provider
has to read again after an edit, `python -m bench branches` what a turn costs where a session has many,
`python -m bench palette` how long the page's palette takes to open, `python -m bench doors` what the same turn costs by
each way into the host, `python -m bench recognition` what it costs to find the session that holds what a program has
sent, `python -m bench soak` what an adversary costs the others, and whether anything grows, `python -m bench against
PATH` has two checkouts take their turns by each other.
Nothing here is a test: no figure makes a run fail.
"""
