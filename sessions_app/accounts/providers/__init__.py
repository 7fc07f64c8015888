"""Logins by an OpenID provider: who may say who somebody is, how it is asked, and what is believed of its answer.

The way to the provider and back is django-allauth's (state, PKCE, code); what the answer means here is ours.
"""
