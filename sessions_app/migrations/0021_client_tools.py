import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sessions_app', '0020_openai_doors'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='chatsession',
            name='client_tools',
            field=models.CharField(blank=True, db_default='', editable=False, max_length=32),
        ),
        migrations.RemoveConstraint(
            model_name='turn',
            name='turn_kind_known',
        ),
        migrations.AlterField(
            model_name='turn',
            name='kind',
            field=models.CharField(choices=[('message', 'Message'), ('edit', 'Edit'), ('regeneration', 'Regeneration'), ('resumption', 'Resumption'), ('compaction', 'Compaction'), ('title', 'Title')], db_default='message', default='message', max_length=12),
        ),
        migrations.AddConstraint(
            model_name='turn',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['message', 'edit', 'regeneration', 'resumption', 'compaction', 'title'])), name='turn_kind_known'),
        ),
        migrations.CreateModel(
            name='WaitingCall',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('tool_call_id', models.CharField(max_length=500)),
                ('kind', models.CharField(choices=[('client', 'Client')], max_length=8)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('chat_session', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='waiting_calls', to='sessions_app.chatsession')),
                ('message', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='sessions_app.message')),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['owner', 'tool_call_id'], name='waiting_by_call')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['client'])), name='waiting_kind_known')],
            },
        ),
    ]
