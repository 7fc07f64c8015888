from django.db import migrations

# Admin's log has kept the names that users had given to their tokens.
FORGET = """
UPDATE django_admin_log SET object_repr = 'token ' || object_id
WHERE object_id IS NOT NULL AND content_type_id IN (
  SELECT id FROM django_content_type WHERE app_label = 'sessions_app' AND model = 'apitoken'
)
"""


class Migration(migrations.Migration):

    dependencies = [
        ('admin', '0003_logentry_add_action_flag_choices'),
        ('sessions_app', '0044_webhooks'),
    ]

    operations = [
        migrations.RunSQL(FORGET, migrations.RunSQL.noop),
    ]
