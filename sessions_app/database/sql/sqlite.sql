-- The stamp of every session's transcript, and the list of changes that the search index lacks, kept by SQLite.
-- Plain tables only: another program's SQLite may have no FTS5.
-- Row triggers: SQLite has no others. Statements are separated by a line of dashes.
--
-- The conflict clause of an outer statement (INSERT OR REPLACE) overrides those inside a
-- trigger, so nothing here may rely on OR IGNORE; WHERE NOT EXISTS says it instead.

CREATE TRIGGER hermes_session_insert AFTER INSERT ON sessions_app_chatsession
BEGIN
  UPDATE sessions_app_sessionstamp SET revision = revision + 1 WHERE chat_session_id = NEW.id;
  INSERT INTO sessions_app_sessionstamp (chat_session_id, message_count, revision, recount)
    SELECT NEW.id, 0, 0, 0
    WHERE NOT EXISTS (SELECT 1 FROM sessions_app_sessionstamp WHERE chat_session_id = NEW.id);
END;
--------
CREATE TRIGGER hermes_session_update
AFTER UPDATE OF active_branch_id, frozen_prefix ON sessions_app_chatsession
WHEN OLD.active_branch_id IS NOT NEW.active_branch_id OR OLD.frozen_prefix IS NOT NEW.frozen_prefix
BEGIN
  UPDATE sessions_app_sessionstamp SET revision = revision + 1 WHERE chat_session_id = NEW.id;
END;
--------
CREATE TRIGGER hermes_session_delete BEFORE DELETE ON sessions_app_chatsession
BEGIN
  DELETE FROM sessions_app_sessionstamp WHERE chat_session_id = OLD.id;
END;
--------
CREATE TRIGGER hermes_branch_update
AFTER UPDATE OF parent_id, fork_position, chat_session_id ON sessions_app_branch
BEGIN
  UPDATE sessions_app_sessionstamp SET revision = revision + 1
    WHERE chat_session_id IN (OLD.chat_session_id, NEW.chat_session_id);
END;
--------
-- REPLACE fires neither of the others.
CREATE TRIGGER hermes_branch_replace BEFORE INSERT ON sessions_app_branch
WHEN EXISTS (SELECT 1 FROM sessions_app_branch WHERE id = NEW.id)
BEGIN
  UPDATE sessions_app_sessionstamp SET revision = revision + 1 WHERE chat_session_id IN (
    SELECT chat_session_id FROM sessions_app_branch WHERE id = NEW.id
    UNION SELECT NEW.chat_session_id);
END;
--------
CREATE TRIGGER hermes_branch_delete AFTER DELETE ON sessions_app_branch
BEGIN
  UPDATE sessions_app_sessionstamp SET revision = revision + 1
    WHERE chat_session_id = OLD.chat_session_id;
END;
--------
-- REPLACE deletes the rows it conflicts with and fires no delete trigger. So the sessions of
-- such rows are noted here, before, and counted anew after the insert: a row that is missing
-- then was replaced. Where the conflict ends the statement, or skips the row, the note goes
-- with it or costs one needless count, which changes nothing. The same for the search index.
CREATE TRIGGER hermes_message_before_insert BEFORE INSERT ON sessions_app_message
WHEN EXISTS (SELECT 1 FROM sessions_app_message WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM sessions_app_message
             WHERE owner_id = NEW.owner_id AND public_id = NEW.public_id)
  OR EXISTS (SELECT 1 FROM sessions_app_message
             WHERE branch_id = NEW.branch_id AND position = NEW.position)
BEGIN
  UPDATE sessions_app_sessionstamp SET recount = 1 WHERE chat_session_id IN (
    SELECT chat_session_id FROM sessions_app_message WHERE id = NEW.id
    UNION SELECT chat_session_id FROM sessions_app_message
      WHERE owner_id = NEW.owner_id AND public_id = NEW.public_id
    UNION SELECT chat_session_id FROM sessions_app_message
      WHERE branch_id = NEW.branch_id AND position = NEW.position);
  INSERT INTO hermes_search_change (message_id, owner_id)
    SELECT id, owner_id FROM sessions_app_message WHERE id = NEW.id
    UNION SELECT id, owner_id FROM sessions_app_message
      WHERE owner_id = NEW.owner_id AND public_id = NEW.public_id
    UNION SELECT id, owner_id FROM sessions_app_message
      WHERE branch_id = NEW.branch_id AND position = NEW.position;
END;
--------
CREATE TRIGGER hermes_message_insert AFTER INSERT ON sessions_app_message
BEGIN
  UPDATE sessions_app_sessionstamp
    SET message_count = message_count + 1, revision = revision + 1
    WHERE chat_session_id = NEW.chat_session_id;
  UPDATE sessions_app_sessionstamp
    SET message_count = (SELECT count(*) FROM sessions_app_message
                         WHERE chat_session_id = sessions_app_sessionstamp.chat_session_id),
        revision = revision + (message_count <> (SELECT count(*) FROM sessions_app_message
                               WHERE chat_session_id = sessions_app_sessionstamp.chat_session_id)),
        recount = 0
    WHERE recount;
  INSERT INTO hermes_search_change (message_id, owner_id) VALUES (NEW.id, NEW.owner_id);
END;
--------
CREATE TRIGGER hermes_message_before_update
BEFORE UPDATE OF id, owner_id, public_id, branch_id, position ON sessions_app_message
WHEN EXISTS (SELECT 1 FROM sessions_app_message WHERE id = NEW.id AND id <> OLD.id)
  OR EXISTS (SELECT 1 FROM sessions_app_message
             WHERE owner_id = NEW.owner_id AND public_id = NEW.public_id AND id <> OLD.id)
  OR EXISTS (SELECT 1 FROM sessions_app_message
             WHERE branch_id = NEW.branch_id AND position = NEW.position AND id <> OLD.id)
BEGIN
  UPDATE sessions_app_sessionstamp SET recount = 1 WHERE chat_session_id IN (
    SELECT chat_session_id FROM sessions_app_message WHERE id = NEW.id
    UNION SELECT chat_session_id FROM sessions_app_message
      WHERE owner_id = NEW.owner_id AND public_id = NEW.public_id
    UNION SELECT chat_session_id FROM sessions_app_message
      WHERE branch_id = NEW.branch_id AND position = NEW.position);
  INSERT INTO hermes_search_change (message_id, owner_id)
    SELECT id, owner_id FROM sessions_app_message WHERE id = NEW.id
    UNION SELECT id, owner_id FROM sessions_app_message
      WHERE owner_id = NEW.owner_id AND public_id = NEW.public_id
    UNION SELECT id, owner_id FROM sessions_app_message
      WHERE branch_id = NEW.branch_id AND position = NEW.position;
END;
--------
CREATE TRIGGER hermes_message_update AFTER UPDATE ON sessions_app_message
BEGIN
  UPDATE sessions_app_sessionstamp SET revision = revision + 1
    WHERE chat_session_id = NEW.chat_session_id;
  UPDATE sessions_app_sessionstamp
    SET message_count = message_count - 1, revision = revision + 1
    WHERE chat_session_id = OLD.chat_session_id AND OLD.chat_session_id <> NEW.chat_session_id;
  UPDATE sessions_app_sessionstamp SET message_count = message_count + 1
    WHERE chat_session_id = NEW.chat_session_id AND OLD.chat_session_id <> NEW.chat_session_id;
  UPDATE sessions_app_sessionstamp
    SET message_count = (SELECT count(*) FROM sessions_app_message
                         WHERE chat_session_id = sessions_app_sessionstamp.chat_session_id),
        revision = revision + (message_count <> (SELECT count(*) FROM sessions_app_message
                               WHERE chat_session_id = sessions_app_sessionstamp.chat_session_id)),
        recount = 0
    WHERE recount;
END;
--------
CREATE TRIGGER hermes_message_delete AFTER DELETE ON sessions_app_message
BEGIN
  UPDATE sessions_app_sessionstamp
    SET message_count = message_count - 1, revision = revision + 1
    WHERE chat_session_id = OLD.chat_session_id;
  INSERT INTO hermes_search_change (message_id, owner_id) VALUES (OLD.id, OLD.owner_id);
END;
--------
CREATE TRIGGER hermes_message_search_update AFTER UPDATE OF id, owner_id, text ON sessions_app_message
WHEN (OLD.id, OLD.owner_id, OLD.text) IS NOT (NEW.id, NEW.owner_id, NEW.text)
BEGIN
  INSERT INTO hermes_search_change (message_id, owner_id)
    VALUES (OLD.id, OLD.owner_id) UNION VALUES (NEW.id, NEW.owner_id);
END;
--------
CREATE TRIGGER hermes_stamp_update BEFORE UPDATE ON sessions_app_sessionstamp
WHEN NEW.revision < OLD.revision
BEGIN
  SELECT RAISE(ABORT, 'the revision of a session never falls');
END;
--------
CREATE TRIGGER hermes_stamp_replace BEFORE INSERT ON sessions_app_sessionstamp
WHEN EXISTS (SELECT 1 FROM sessions_app_sessionstamp
             WHERE chat_session_id = NEW.chat_session_id AND revision > NEW.revision)
BEGIN
  SELECT RAISE(ABORT, 'the revision of a session never falls');
END;
