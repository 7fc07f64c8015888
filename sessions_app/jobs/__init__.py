"""Jobs: what a user asks for that takes longer than a request, done beside the requests by one process at a time.

``rows`` has the transactions: ask, claim, beat, end, remove; ``running`` does the jobs of this process. A job whose
process dies is claimed by another one after the lease, and begun again.
"""
