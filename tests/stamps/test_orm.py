"""Every way in which Django's ORM changes messages moves the stamp, by as much as it changed."""

import uuid

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from agentcache import Stamp
from sessions_app.models import Branch, ChatSession, Message, SessionStamp, StorageCount
from tests.stamps.talk import Talk

pytestmark = pytest.mark.django_db


def test_a_new_session_has_a_stamp_of_its_own(talk: Talk) -> None:
    assert talk.stamp == Stamp(0, 0)


def test_create_and_save(talk: Talk, other: Talk) -> None:
    with talk.moves(1, 1), other.moves(0, 0):
        talk.message(0).save()
    with talk.moves(0, 1), other.moves(0, 0):
        Message.objects.get(chat_session=talk.session_id).save()


def test_bulk_create(talk: Talk, other: Talk) -> None:
    with talk.moves(3, 3), other.moves(2, 2):
        Message.objects.bulk_create([*map(talk.message, range(3)), *map(other.message, range(2))])


def test_bulk_create_that_ignores_conflicts_counts_what_was_stored(talk: Talk) -> None:
    talk.say(2)
    with talk.moves(1, 1):
        Message.objects.bulk_create([talk.message(1), talk.message(2)], ignore_conflicts=True)


def test_a_row_that_was_ignored_moves_no_stamp_later_either(talk: Talk, other: Talk) -> None:
    talk.say(1)
    Message.objects.bulk_create([talk.message(0)], ignore_conflicts=True)
    with talk.moves(0, 0):
        other.say(1)


def test_bulk_create_that_updates_conflicts_counts_new_and_changed_rows(talk: Talk) -> None:
    talk.say(2)
    with talk.moves(1, 2):
        Message.objects.bulk_create(
            [talk.message(1, "new words"), talk.message(2)],
            update_conflicts=True,
            unique_fields=["branch", "position"],
            update_fields=["text"],
        )
    assert Message.objects.get(branch=talk.branch_id, position=1).text == "new words"


def test_bulk_create_in_batches(talk: Talk) -> None:
    with talk.moves(5, 5):
        Message.objects.bulk_create(map(talk.message, range(5)), batch_size=2)


def test_update_and_bulk_update(talk: Talk, other: Talk) -> None:
    messages = talk.say(3)
    other.say(1)
    with talk.moves(0, 3), other.moves(0, 1):
        Message.objects.update(text="edited")
    for message in messages[:2]:
        message.text = "edited again"
    with talk.moves(0, 2), other.moves(0, 0):
        Message.objects.bulk_update(messages[:2], ["text"])


def test_a_move_counts_in_both_sessions(talk: Talk, other: Talk) -> None:
    talk.say(3)
    with talk.moves(-2, 2), other.moves(2, 2):
        moved = Message.objects.filter(chat_session=talk.session_id, position__gte=1)
        moved.update(chat_session=other.session_id, branch=other.branch_id)


def test_deletes(talk: Talk) -> None:
    messages = talk.say(4)
    with talk.moves(-1, 1):
        messages[3].delete()
    with talk.moves(-3, 3):
        Message.objects.filter(chat_session=talk.session_id).delete()


def test_deleting_a_branch_takes_its_messages_along(talk: Talk) -> None:
    talk.say(2)
    fork = Branch.objects.create(chat_session_id=talk.session_id, parent_id=talk.branch_id, fork_position=1)
    talk.message(1, branch_id=fork.pk).save()
    with talk.moves(-1, 2):
        fork.delete()


def test_deleting_a_session_or_a_user_takes_its_stamp_along(talk: Talk, other: Talk) -> None:
    talk.say(1)
    other.say(1)
    talk.row.delete()
    assert not SessionStamp.objects.filter(pk=talk.session_id).exists()
    assert other.stamp == Stamp(1, 1)
    get_user_model().objects.get(pk=other.owner_id).delete()
    assert not SessionStamp.objects.exists()
    assert not StorageCount.objects.filter(owner_id=other.owner_id).exists()
    assert not Message.objects.exists()


def test_what_is_rolled_back_never_counted(talk: Talk) -> None:
    talk.say(1)
    with talk.moves(0, 0):
        with transaction.atomic():
            talk.message(1).save()
            Message.objects.update(text="edited")
            transaction.set_rollback(True)
        with pytest.raises(IntegrityError), transaction.atomic():
            Message.objects.bulk_create([talk.message(1), talk.message(0)])


def test_another_line_or_prefix_raises_the_revision(talk: Talk) -> None:
    fork = Branch.objects.create(chat_session_id=talk.session_id, parent_id=talk.branch_id, fork_position=0)
    with talk.moves(0, 1):
        ChatSession.objects.filter(pk=talk.session_id).update(active_branch=fork)
    with talk.moves(0, 1):
        ChatSession.objects.filter(pk=talk.session_id).update(frozen_prefix='{"system_prompt":"x","tools":[]}')
    with talk.moves(0, 1):
        Branch.objects.filter(pk=fork.pk).update(fork_position=1)


def test_what_is_not_the_transcript_leaves_the_stamp_alone(talk: Talk) -> None:
    talk.say(1)
    with talk.moves(0, 0):
        chat_session = talk.row
        chat_session.title, chat_session.pinned, chat_session.archived = "renamed", True, True
        chat_session.save()
        Branch.objects.create(chat_session=chat_session, parent_id=talk.branch_id, fork_position=1)


def test_a_stale_save_of_the_session_lowers_nothing(talk: Talk) -> None:
    stale = talk.row
    assert stale.stamp.revision == 0
    talk.say(2)
    with talk.moves(0, 0):
        stale.title = "renamed"
        stale.save()
    assert talk.stamp == Stamp(2, 2)


def test_no_model_saves_a_stamp(talk: Talk) -> None:
    stamp = SessionStamp.objects.get(pk=talk.session_id)
    with pytest.raises(TypeError, match="kept by the database"):
        stamp.save()


@pytest.mark.parametrize("fields", [{"position": 0}, {"public_id": uuid.UUID(int=7)}, {"role": "god"}])
def test_what_must_never_be_is_refused(talk: Talk, fields: dict[str, object]) -> None:
    talk.message(0, public_id=uuid.UUID(int=7)).save()
    message = talk.message(1)
    for name, value in fields.items():
        setattr(message, name, value)
    with talk.moves(0, 0), pytest.raises(IntegrityError), transaction.atomic():
        message.save()
