"""Several real site processes over one PostgreSQL and Redis, seen from outside: by clients, the provider, raw SQL."""
