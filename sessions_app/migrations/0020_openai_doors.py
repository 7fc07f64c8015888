import django.db.models.deletion
import sessions_app.models.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sessions_app', '0019_memory'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='chatsession',
            name='client_prompt',
            field=models.CharField(blank=True, db_default='', editable=False, max_length=32),
        ),
        migrations.AddField(
            model_name='message',
            name='line_digest',
            field=models.CharField(blank=True, editable=False, max_length=32, null=True),
        ),
        migrations.AddField(
            model_name='turn',
            name='sampling',
            field=sessions_app.models.fields.VerbatimJSONField(blank=True, editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('line_digest__isnull', False)), fields=['owner', 'line_digest', 'id'], name='message_by_line_digest'),
        ),
        migrations.CreateModel(
            name='SessionName',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('chat_session', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='names', to='sessions_app.chatsession')),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('owner', 'name'), name='session_name_per_user')],
            },
        ),
    ]
