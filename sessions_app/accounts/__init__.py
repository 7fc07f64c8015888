"""The people's door: log in, sign up, change the password, make API tokens."""
