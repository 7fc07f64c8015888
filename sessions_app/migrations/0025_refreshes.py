from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0024_message_names")]

    operations = [
        migrations.CreateModel(
            name="RefreshSpending",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("nanodollars", models.BigIntegerField(db_default=0, default=0)),
            ],
        ),
        migrations.AlterField(
            model_name="agentprofile",
            name="learnt_model",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=701),
        ),
        migrations.AddField(
            model_name="turn",
            name="names_profile",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.RemoveConstraint(model_name="turn", name="turn_kind_known"),
        migrations.AlterField(
            model_name="turn",
            name="kind",
            field=models.CharField(
                choices=[
                    ("message", "Message"),
                    ("edit", "Edit"),
                    ("regeneration", "Regeneration"),
                    ("resumption", "Resumption"),
                    ("compaction", "Compaction"),
                    ("title", "Title"),
                    ("refresh", "Refresh"),
                ],
                db_default="message",
                default="message",
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            model_name="turn",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["message", "edit", "regeneration", "resumption", "compaction", "title", "refresh"])
                ),
                name="turn_kind_known",
            ),
        ),
    ]
