"""PostgreSQL: walk a user's messages in the search index from the newest on (sessions_app.conversations.search.finding).

SQLite's index of keys is walked in that order as it is.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def create(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE INDEX hermes_search_by_age ON hermes_search_entry (owner_id, message_id)", None)


def drop(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX hermes_search_by_age", None)


class Migration(migrations.Migration):

    dependencies = [
        ('sessions_app', '0012_titles'),
    ]

    operations = [
        migrations.RunPython(create, drop),
    ]
