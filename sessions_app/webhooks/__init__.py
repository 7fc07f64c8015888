"""Webhooks: facts of the journal, told to other systems that an operator has named.

The way of a fact: its row in the journal is looked at once for each webhook (``collecting``, which moves the webhook's
cursor) and becomes a delivery, a row of its own. Deliveries are claimed, sent and settled (``rows``, ``sending``) by
whichever process comes first (``running``). So a process may die at any moment: what the cursor has not passed is
looked at again, what was claimed and not settled is sent again. At least once, in no order; an event's id says which
came twice, and the cursor in it how one user's follow each other.

Turns know nothing of all this: the journal is written as if there were no webhook.
"""
