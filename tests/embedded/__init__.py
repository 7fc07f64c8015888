"""The site's applications in a project of somebody else's."""
