"""Budgets: what users and groups may spend of providers in a day, a week or a month, and what they have spent.

``periods`` knows the calendar, ``prices`` what tokens cost. ``binding`` reads which budgets bind a user, with the
counters of their present periods; ``holding`` reserves of them for turns, and settles; ``telling`` says what is left.
"""
