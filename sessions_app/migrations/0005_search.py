"""An index for search whose keys begin with the owner, of folded texts (sessions_app.conversations.search).

It is filled after the migration, by the process that serves, in small steps; until then searches read the messages
that it lacks. Its tables are no models: only triggers and sessions_app.conversations.search write them, and no fixture holds them.
"""

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# On SQLite only the very word "integer" makes a primary key the row's own id.
_INTEGER = {"sqlite": "integer", "postgresql": "bigint"}
_SERIAL = {"sqlite": "integer", "postgresql": "bigint GENERATED ALWAYS AS IDENTITY"}
_TABLES = (
    "CREATE TABLE hermes_search_entry"
    " (message_id {integer} PRIMARY KEY, owner_id bigint NOT NULL, folded text NOT NULL)",
    "CREATE TABLE hermes_search_change (id {serial} PRIMARY KEY, message_id bigint NOT NULL, owner_id bigint NOT NULL)",
    "CREATE INDEX hermes_search_change_owner ON hermes_search_change (owner_id, message_id)",
)
_INDEX = {
    "sqlite": (
        "DROP TABLE IF EXISTS hermes_message_search",
        "CREATE VIRTUAL TABLE hermes_search_keys"
        " USING fts5(keys, content = '', columnsize = 0, detail = 'none', tokenize = 'ascii')",
    ),
    "postgresql": (
        "DROP INDEX IF EXISTS hermes_message_search",
        "ALTER TABLE hermes_search_entry ADD COLUMN keys text[] NOT NULL",
        # What others wrote must not change a plan, and to count all keys would take ANALYZE minutes.
        "ALTER TABLE hermes_search_entry ALTER COLUMN keys SET STATISTICS 0",
        "CREATE INDEX hermes_search_keys ON hermes_search_entry USING gin (keys) WITH (fastupdate = on)",
    ),
}


def create(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    vendor = schema_editor.connection.vendor
    for statement in (*_TABLES, *_INDEX[vendor]):
        schema_editor.execute(statement.format(integer=_INTEGER[vendor], serial=_SERIAL[vendor]), None)


def drop(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE hermes_search_keys", None)
    for table in ("hermes_search_entry", "hermes_search_change"):
        schema_editor.execute(f"DROP TABLE {table}", None)


class Migration(migrations.Migration):

    dependencies = [
        ('sessions_app', '0004_turn_by_end'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(create, drop),
        migrations.RemoveIndex(
            model_name='message',
            name='message_by_owner',
        ),
    ]
