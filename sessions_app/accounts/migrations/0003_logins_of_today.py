from datetime import timedelta

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import migrations
from django.utils import timezone


def add_logins(apps, schema_editor):
    """Give the logins of today their rows, so that their users see and end them too."""
    users = set(apps.get_model(settings.AUTH_USER_MODEL).objects.values_list("pk", flat=True))
    sessions = apps.get_model("sessions", "Session").objects.filter(expire_date__gt=timezone.now())
    age = timedelta(seconds=settings.SESSION_COOKIE_AGE)
    logins = []
    for session in sessions.iterator():
        owner = SessionStore().decode(session.session_data).get(SESSION_KEY, "")
        if owner.isdecimal() and int(owner) in users:
            began = session.expire_date - age
            logins.append({"owner_id": int(owner), "session_key": session.session_key, "created_at": began, "last_used_at": began})
    login = apps.get_model("accounts", "Login")
    login.objects.bulk_create([login(**row) for row in logins], batch_size=1_000)


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0002_names_logins_waits"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("sessions", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(add_logins, migrations.RunPython.noop),
    ]
