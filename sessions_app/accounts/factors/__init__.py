"""Second factors: codes of an authenticator app, passkeys, and recovery codes for who has lost both.

The rows and the reckoning are django-allauth's (``allauth.mfa``); what is asked for, where, and how often, is ours.
"""
