-- Kept by SQLite: the stamp of every session's transcript, the list of changes that the search index lacks, and what
-- each user stores. Plain tables only: another program's SQLite may have no FTS5.
-- Row triggers: SQLite has no others. Statements are separated by a line of dashes.
-- A message's size is the characters of its text and of its parts.
--
-- The conflict clause of an outer statement (INSERT OR REPLACE) overrides those inside a
-- trigger, so nothing here may rely on OR IGNORE; WHERE NOT EXISTS says it instead.

CREATE TRIGGER hermes_session_insert AFTER INSERT ON sessions_app_chatsession
BEGIN
  UPDATE sessions_app_sessionstamp SET revision = revision + 1, owner_id = NEW.owner_id
    WHERE chat_session_id = NEW.id;
  INSERT INTO sessions_app_sessionstamp (chat_session_id, message_count, revision, recount, characters, owner_id)
    SELECT NEW.id, 0, 0, 0, 0, NEW.owner_id
    WHERE NOT EXISTS (SELECT 1 FROM sessions_app_sessionstamp WHERE chat_session_id = NEW.id);
END;
--------
CREATE TRIGGER hermes_session_update
AFTER UPDATE OF active_branch_id, frozen_prefix ON sessions_app_chatsession
WHEN OLD.active_branch_id IS NOT NEW.active_branch_id OR OLD.frozen_prefix IS NOT NEW.frozen_prefix
BEGIN
  UPDATE sessions_app_sessionstamp
    SET revision = revision + 1,
        branch_revision = CASE WHEN OLD.active_branch_id IS NEW.active_branch_id
                               THEN branch_revision ELSE revision + 1 END
    WHERE chat_session_id = NEW.id;
END;
--------
CREATE TRIGGER hermes_session_owner AFTER UPDATE OF owner_id ON sessions_app_chatsession
WHEN OLD.owner_id <> NEW.owner_id
BEGIN
  UPDATE sessions_app_sessionstamp SET owner_id = NEW.owner_id WHERE chat_session_id = NEW.id;
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
    SET message_count = message_count + 1, revision = revision + 1,
        characters = characters + length(NEW.text) + coalesce(length(NEW.parts), 0)
    WHERE chat_session_id = NEW.chat_session_id;
  UPDATE sessions_app_sessionstamp
    SET message_count = (SELECT count(*) FROM sessions_app_message
                         WHERE chat_session_id = sessions_app_sessionstamp.chat_session_id),
        characters = (SELECT coalesce(sum(length(text) + coalesce(length(parts), 0)), 0) FROM sessions_app_message
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
    SET characters = characters - length(OLD.text) - coalesce(length(OLD.parts), 0)
    WHERE chat_session_id = OLD.chat_session_id;
  UPDATE sessions_app_sessionstamp
    SET characters = characters + length(NEW.text) + coalesce(length(NEW.parts), 0)
    WHERE chat_session_id = NEW.chat_session_id;
  UPDATE sessions_app_sessionstamp
    SET message_count = message_count - 1, revision = revision + 1
    WHERE chat_session_id = OLD.chat_session_id AND OLD.chat_session_id <> NEW.chat_session_id;
  UPDATE sessions_app_sessionstamp SET message_count = message_count + 1
    WHERE chat_session_id = NEW.chat_session_id AND OLD.chat_session_id <> NEW.chat_session_id;
  UPDATE sessions_app_sessionstamp
    SET message_count = (SELECT count(*) FROM sessions_app_message
                         WHERE chat_session_id = sessions_app_sessionstamp.chat_session_id),
        characters = (SELECT coalesce(sum(length(text) + coalesce(length(parts), 0)), 0) FROM sessions_app_message
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
    SET message_count = message_count - 1, revision = revision + 1,
        characters = characters - length(OLD.text) - coalesce(length(OLD.parts), 0)
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
--------
-- What a user stores is one row here: a transaction has the whole database to itself.
CREATE TRIGGER hermes_stamp_insert AFTER INSERT ON sessions_app_sessionstamp
BEGIN
  INSERT INTO sessions_app_storagecount (owner_id, sessions, characters)
    SELECT NEW.owner_id, 0, 0
    WHERE NOT EXISTS (SELECT 1 FROM sessions_app_storagecount WHERE owner_id = NEW.owner_id);
  UPDATE sessions_app_storagecount SET sessions = sessions + 1, characters = characters + NEW.characters
    WHERE owner_id = NEW.owner_id;
END;
--------
CREATE TRIGGER hermes_stamp_size AFTER UPDATE OF characters, owner_id ON sessions_app_sessionstamp
WHEN (OLD.characters, OLD.owner_id) IS NOT (NEW.characters, NEW.owner_id)
BEGIN
  INSERT INTO sessions_app_storagecount (owner_id, sessions, characters)
    SELECT NEW.owner_id, 0, 0
    WHERE NOT EXISTS (SELECT 1 FROM sessions_app_storagecount WHERE owner_id = NEW.owner_id);
  UPDATE sessions_app_storagecount SET sessions = sessions - 1, characters = characters - OLD.characters
    WHERE owner_id = OLD.owner_id;
  UPDATE sessions_app_storagecount SET sessions = sessions + 1, characters = characters + NEW.characters
    WHERE owner_id = NEW.owner_id;
END;
--------
CREATE TRIGGER hermes_stamp_delete AFTER DELETE ON sessions_app_sessionstamp
BEGIN
  UPDATE sessions_app_storagecount SET sessions = sessions - 1, characters = characters - OLD.characters
    WHERE owner_id = OLD.owner_id;
END;
--------
-- Of a turn that waits, or was withdrawn, no message has the text. (Of REPLACE into turns nothing is noticed.)
CREATE TRIGGER hermes_turn_insert AFTER INSERT ON sessions_app_turn WHEN NEW.status IN ('queued', 'withdrawn')
BEGIN
  INSERT INTO sessions_app_storagecount (owner_id, sessions, characters)
    SELECT NEW.owner_id, 0, 0
    WHERE NOT EXISTS (SELECT 1 FROM sessions_app_storagecount WHERE owner_id = NEW.owner_id);
  UPDATE sessions_app_storagecount SET characters = characters + length(NEW.text) WHERE owner_id = NEW.owner_id;
END;
--------
CREATE TRIGGER hermes_turn_update AFTER UPDATE OF status, text, owner_id ON sessions_app_turn
WHEN OLD.status IN ('queued', 'withdrawn') OR NEW.status IN ('queued', 'withdrawn')
BEGIN
  INSERT INTO sessions_app_storagecount (owner_id, sessions, characters)
    SELECT NEW.owner_id, 0, 0
    WHERE NOT EXISTS (SELECT 1 FROM sessions_app_storagecount WHERE owner_id = NEW.owner_id);
  UPDATE sessions_app_storagecount SET characters = characters - length(OLD.text)
    WHERE owner_id = OLD.owner_id AND OLD.status IN ('queued', 'withdrawn');
  UPDATE sessions_app_storagecount SET characters = characters + length(NEW.text)
    WHERE owner_id = NEW.owner_id AND NEW.status IN ('queued', 'withdrawn');
END;
--------
CREATE TRIGGER hermes_turn_delete AFTER DELETE ON sessions_app_turn WHEN OLD.status IN ('queued', 'withdrawn')
BEGIN
  UPDATE sessions_app_storagecount SET characters = characters - length(OLD.text) WHERE owner_id = OLD.owner_id;
END;
--------
-- What a turn has cost stays when its row goes, as a sum without a word. (Of REPLACE into turns nothing is noticed.)
CREATE TRIGGER hermes_turn_spent BEFORE DELETE ON sessions_app_turn WHEN OLD.prefix_digest <> '' OR OLD.uncounted_tokens > 0
BEGIN
  INSERT INTO sessions_app_keptspending (day, owner_id, profile_id, beside, miss, turns, expected_tokens, missed_tokens,
      input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost, saved, priced, unpriced,
      uncounted_tokens, uncounted_cost)
    SELECT date(OLD.created_at), OLD.owner_id, spent.profile_id, spent.beside, OLD.miss, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM (SELECT (SELECT profile_id FROM sessions_app_chatsession WHERE id = OLD.chat_session_id) AS profile_id,
                 CASE WHEN OLD.kind IN ('title', 'refresh') THEN OLD.kind ELSE '' END AS beside) AS spent
    WHERE NOT EXISTS (SELECT 1 FROM sessions_app_keptspending AS kept
                      WHERE kept.day = date(OLD.created_at) AND kept.owner_id = OLD.owner_id
                        AND kept.profile_id IS spent.profile_id AND kept.beside = spent.beside AND kept.miss = OLD.miss);
  UPDATE sessions_app_keptspending
    SET turns = turns + (OLD.prefix_digest <> '' AND OLD.kind NOT IN ('title', 'refresh')),
        expected_tokens = expected_tokens + OLD.expected_tokens,
        missed_tokens = missed_tokens + max(OLD.expected_tokens - OLD.cached_tokens, 0),
        input_tokens = input_tokens + OLD.input_tokens,
        cached_tokens = cached_tokens + OLD.cached_tokens,
        cache_write_tokens = cache_write_tokens + OLD.cache_write_tokens,
        output_tokens = output_tokens + OLD.output_tokens,
        reasoning_tokens = reasoning_tokens + OLD.reasoning_tokens,
        cost = cost + coalesce(OLD.cost, 0), saved = saved + coalesce(OLD.saved, 0),
        priced = priced + (OLD.prefix_digest <> '' AND OLD.cost IS NOT NULL),
        unpriced = unpriced + (OLD.prefix_digest <> '' AND OLD.cost IS NULL),
        uncounted_tokens = uncounted_tokens + OLD.uncounted_tokens,
        uncounted_cost = uncounted_cost + OLD.uncounted_cost
    WHERE day = date(OLD.created_at) AND owner_id = OLD.owner_id
      AND profile_id IS (SELECT profile_id FROM sessions_app_chatsession WHERE id = OLD.chat_session_id)
      AND beside = CASE WHEN OLD.kind IN ('title', 'refresh') THEN OLD.kind ELSE '' END AND miss = OLD.miss;
END;
--------
-- Files: what is to be removed takes no room any more. (Of REPLACE into contents nothing is noticed.)
CREATE TRIGGER hermes_content_insert AFTER INSERT ON sessions_app_filecontent WHEN NEW.state <> 'removed'
BEGIN
  INSERT INTO sessions_app_storagecount (owner_id, sessions, characters)
    SELECT NEW.owner_id, 0, 0
    WHERE NOT EXISTS (SELECT 1 FROM sessions_app_storagecount WHERE owner_id = NEW.owner_id);
  UPDATE sessions_app_storagecount SET file_bytes = file_bytes + NEW.stored_size WHERE owner_id = NEW.owner_id;
END;
--------
CREATE TRIGGER hermes_content_update AFTER UPDATE OF state, stored_size, owner_id ON sessions_app_filecontent
BEGIN
  INSERT INTO sessions_app_storagecount (owner_id, sessions, characters)
    SELECT NEW.owner_id, 0, 0
    WHERE NOT EXISTS (SELECT 1 FROM sessions_app_storagecount WHERE owner_id = NEW.owner_id);
  UPDATE sessions_app_storagecount SET file_bytes = file_bytes - OLD.stored_size
    WHERE owner_id = OLD.owner_id AND OLD.state <> 'removed';
  UPDATE sessions_app_storagecount SET file_bytes = file_bytes + NEW.stored_size
    WHERE owner_id = NEW.owner_id AND NEW.state <> 'removed';
END;
--------
CREATE TRIGGER hermes_content_delete AFTER DELETE ON sessions_app_filecontent WHEN OLD.state <> 'removed'
BEGIN
  UPDATE sessions_app_storagecount SET file_bytes = file_bytes - OLD.stored_size WHERE owner_id = OLD.owner_id;
END;
--------
CREATE TRIGGER hermes_user_delete AFTER DELETE ON {users}
BEGIN
  UPDATE sessions_app_filecontent SET state = 'removed' WHERE owner_id = OLD.id;
  DELETE FROM sessions_app_storagecount WHERE owner_id = OLD.id;
  DELETE FROM sessions_app_journalentry WHERE owner_id = OLD.id;
  DELETE FROM sessions_app_journalhead WHERE owner_id = OLD.id;
END;
--------
-- The audit only grows, whoever writes. REPLACE deletes without a word, so an insert at a number that is there is refused.
CREATE TRIGGER hermes_audit_update BEFORE UPDATE ON sessions_app_auditentry
BEGIN
  SELECT RAISE(ABORT, 'rows of the audit are never changed');
END;
--------
CREATE TRIGGER hermes_audit_delete BEFORE DELETE ON sessions_app_auditentry
BEGIN
  SELECT RAISE(ABORT, 'rows of the audit are never deleted');
END;
--------
CREATE TRIGGER hermes_audit_replace BEFORE INSERT ON sessions_app_auditentry
WHEN EXISTS (SELECT 1 FROM sessions_app_auditentry WHERE number = NEW.number)
BEGIN
  SELECT RAISE(ABORT, 'rows of the audit are never replaced');
END;
--------
-- Its head moves forwards only. (While there are no rows, `flush` may empty the tables.)
CREATE TRIGGER hermes_audithead_update BEFORE UPDATE ON sessions_app_audithead
WHEN NEW.id <> OLD.id OR NEW.count < OLD.count OR (NEW.count = OLD.count AND NEW.digest <> OLD.digest)
BEGIN
  SELECT RAISE(ABORT, 'the head of the audit never goes back');
END;
--------
CREATE TRIGGER hermes_audithead_delete BEFORE DELETE ON sessions_app_audithead WHEN OLD.count > 0
BEGIN
  SELECT RAISE(ABORT, 'the head of the audit is never deleted');
END;
--------
CREATE TRIGGER hermes_audithead_replace BEFORE INSERT ON sessions_app_audithead
WHEN EXISTS (SELECT 1 FROM sessions_app_audithead WHERE id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'the head of the audit is never replaced');
END;
