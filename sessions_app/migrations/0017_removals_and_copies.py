import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sessions_app', '0016_kinds_of_messages'),
    ]

    operations = [
        migrations.AlterField(
            model_name='chatsession',
            name='profile',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='chat_sessions', to='sessions_app.agentprofile'),
        ),
        migrations.AddField(
            model_name='message',
            name='model',
            field=models.CharField(blank=True, editable=False, max_length=200, null=True),
        ),
    ]
