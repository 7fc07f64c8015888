-- Kept by PostgreSQL: the stamp of every session's transcript, the list of changes that the search index lacks, and
-- what each user stores.
-- Statement triggers with transition tables: row triggers are quadratic in bulk writes.
-- A transaction that touches several stamps locks them in the order of their sessions' ids.
-- Statements are separated by a line of dashes.
-- A message's size is the characters of its text and of its parts.

CREATE OR REPLACE FUNCTION hermes_session_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO sessions_app_sessionstamp (chat_session_id, message_count, revision, recount, characters, owner_id)
    VALUES (NEW.id, 0, 0, false, 0, NEW.owner_id)
    ON CONFLICT (chat_session_id) DO UPDATE
      SET revision = sessions_app_sessionstamp.revision + 1;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_session_insert AFTER INSERT ON sessions_app_chatsession
  FOR EACH ROW EXECUTE FUNCTION hermes_session_insert();
--------
CREATE OR REPLACE FUNCTION hermes_session_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE sessions_app_sessionstamp
    SET revision = revision + 1,
        branch_revision = CASE WHEN OLD.active_branch_id = NEW.active_branch_id
                               THEN branch_revision ELSE revision + 1 END
    WHERE chat_session_id = NEW.id;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_session_update
  AFTER UPDATE OF active_branch_id, frozen_prefix ON sessions_app_chatsession FOR EACH ROW
  WHEN (OLD.active_branch_id IS DISTINCT FROM NEW.active_branch_id
        OR OLD.frozen_prefix IS DISTINCT FROM NEW.frozen_prefix)
  EXECUTE FUNCTION hermes_session_update();
--------
CREATE OR REPLACE FUNCTION hermes_session_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE sessions_app_sessionstamp SET owner_id = NEW.owner_id WHERE chat_session_id = NEW.id;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_session_owner AFTER UPDATE OF owner_id ON sessions_app_chatsession FOR EACH ROW
  WHEN (OLD.owner_id <> NEW.owner_id) EXECUTE FUNCTION hermes_session_owner();
--------
CREATE OR REPLACE FUNCTION hermes_session_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM sessions_app_sessionstamp WHERE chat_session_id = OLD.id;
  RETURN OLD;
END $$;
--------
CREATE TRIGGER hermes_session_delete BEFORE DELETE ON sessions_app_chatsession
  FOR EACH ROW EXECUTE FUNCTION hermes_session_delete();
--------
CREATE OR REPLACE FUNCTION hermes_branch_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE sessions_app_sessionstamp SET revision = revision + 1
    WHERE chat_session_id = OLD.chat_session_id;
  IF TG_OP = 'UPDATE' AND NEW.chat_session_id <> OLD.chat_session_id THEN
    UPDATE sessions_app_sessionstamp SET revision = revision + 1
      WHERE chat_session_id = NEW.chat_session_id;
  END IF;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_branch_update
  AFTER UPDATE OF parent_id, fork_position, chat_session_id ON sessions_app_branch
  FOR EACH ROW EXECUTE FUNCTION hermes_branch_change();
--------
CREATE TRIGGER hermes_branch_delete AFTER DELETE ON sessions_app_branch
  FOR EACH ROW EXECUTE FUNCTION hermes_branch_change();
--------
CREATE OR REPLACE FUNCTION hermes_message_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM sessions_app_sessionstamp
    WHERE chat_session_id IN (SELECT chat_session_id FROM new_rows)
    ORDER BY chat_session_id FOR UPDATE;
  UPDATE sessions_app_sessionstamp AS stamp
    SET message_count = stamp.message_count + change.n, revision = stamp.revision + change.n,
        characters = stamp.characters + change.size
    FROM (SELECT chat_session_id, count(*) AS n, sum(length(text) + coalesce(length(parts), 0)) AS size
          FROM new_rows GROUP BY chat_session_id) AS change
    WHERE stamp.chat_session_id = change.chat_session_id;
  INSERT INTO hermes_search_change (message_id, owner_id) SELECT id, owner_id FROM new_rows;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_message_insert AFTER INSERT ON sessions_app_message
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION hermes_message_insert();
--------
CREATE OR REPLACE FUNCTION hermes_message_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM sessions_app_sessionstamp
    WHERE chat_session_id IN (SELECT chat_session_id FROM old_rows)
    ORDER BY chat_session_id FOR UPDATE;
  UPDATE sessions_app_sessionstamp AS stamp
    SET message_count = stamp.message_count - change.n, revision = stamp.revision + change.n,
        characters = stamp.characters - change.size
    FROM (SELECT chat_session_id, count(*) AS n, sum(length(text) + coalesce(length(parts), 0)) AS size
          FROM old_rows GROUP BY chat_session_id) AS change
    WHERE stamp.chat_session_id = change.chat_session_id;
  INSERT INTO hermes_search_change (message_id, owner_id) SELECT id, owner_id FROM old_rows;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_message_delete AFTER DELETE ON sessions_app_message
  REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION hermes_message_delete();
--------
-- A statement may change keys too, so old and new rows cannot be matched: a session is raised by
-- the larger number, which equals the growth of its count only where nothing went.
CREATE OR REPLACE FUNCTION hermes_message_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM sessions_app_sessionstamp
    WHERE chat_session_id IN (SELECT chat_session_id FROM old_rows
                              UNION SELECT chat_session_id FROM new_rows)
    ORDER BY chat_session_id FOR UPDATE;
  UPDATE sessions_app_sessionstamp AS stamp
    SET message_count = stamp.message_count + change.came - change.went,
        revision = stamp.revision + greatest(change.came, change.went),
        characters = stamp.characters + change.size
    FROM (SELECT chat_session_id, sum(came) AS came, sum(went) AS went, sum(size) AS size
          FROM (SELECT chat_session_id, 0 AS came, 1 AS went, -length(text) - coalesce(length(parts), 0) AS size
                FROM old_rows
                UNION ALL SELECT chat_session_id, 1, 0, length(text) + coalesce(length(parts), 0)
                FROM new_rows) AS single
          GROUP BY chat_session_id) AS change
    WHERE stamp.chat_session_id = change.chat_session_id;
  INSERT INTO hermes_search_change (message_id, owner_id)
    SELECT id, owner_id FROM (
      (SELECT id, owner_id, text FROM old_rows EXCEPT SELECT id, owner_id, text FROM new_rows)
      UNION (SELECT id, owner_id, text FROM new_rows EXCEPT SELECT id, owner_id, text FROM old_rows)
    ) AS changed GROUP BY id, owner_id;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_message_update AFTER UPDATE ON sessions_app_message
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION hermes_message_update();
--------
CREATE OR REPLACE FUNCTION hermes_message_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE sessions_app_sessionstamp SET message_count = 0, characters = 0, revision = revision + 1;
  DELETE FROM hermes_search_entry;
  DELETE FROM hermes_search_change;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_message_truncate AFTER TRUNCATE ON sessions_app_message
  FOR EACH STATEMENT EXECUTE FUNCTION hermes_message_truncate();
--------
CREATE OR REPLACE FUNCTION hermes_stamp_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the revision of a session never falls';
END $$;
--------
CREATE TRIGGER hermes_stamp_update BEFORE UPDATE ON sessions_app_sessionstamp FOR EACH ROW
  WHEN (NEW.revision < OLD.revision) EXECUTE FUNCTION hermes_stamp_update();
--------
-- What a user stores is the sum of their rows here. Each change adds one: all of a user's sessions share what a
-- single row would count, so a transaction in one session would make the others wait, and two could deadlock.
CREATE OR REPLACE FUNCTION hermes_stamp_size() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO sessions_app_storagecount (owner_id, sessions, characters)
    SELECT owner_id, sum(sessions), sum(characters)
    FROM (VALUES (OLD.owner_id, -1, -OLD.characters), (NEW.owner_id, 1, NEW.characters))
      AS change (owner_id, sessions, characters)
    WHERE owner_id IS NOT NULL GROUP BY owner_id;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_stamp_insert AFTER INSERT ON sessions_app_sessionstamp
  FOR EACH ROW EXECUTE FUNCTION hermes_stamp_size();
--------
CREATE TRIGGER hermes_stamp_size AFTER UPDATE OF characters, owner_id ON sessions_app_sessionstamp FOR EACH ROW
  WHEN ((OLD.characters, OLD.owner_id) IS DISTINCT FROM (NEW.characters, NEW.owner_id))
  EXECUTE FUNCTION hermes_stamp_size();
--------
CREATE TRIGGER hermes_stamp_delete AFTER DELETE ON sessions_app_sessionstamp
  FOR EACH ROW EXECUTE FUNCTION hermes_stamp_size();
--------
-- Of a turn that waits, or was withdrawn, no message has the text.
CREATE OR REPLACE FUNCTION hermes_turn_size() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO sessions_app_storagecount (owner_id, sessions, characters)
    SELECT owner_id, 0, sum(characters)
    FROM (VALUES (OLD.owner_id, OLD.status, -length(OLD.text)), (NEW.owner_id, NEW.status, length(NEW.text)))
      AS change (owner_id, status, characters)
    WHERE status IN ('queued', 'withdrawn') GROUP BY owner_id HAVING sum(characters) <> 0;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_turn_insert AFTER INSERT ON sessions_app_turn FOR EACH ROW
  WHEN (NEW.status IN ('queued', 'withdrawn')) EXECUTE FUNCTION hermes_turn_size();
--------
CREATE TRIGGER hermes_turn_update AFTER UPDATE OF status, text, owner_id ON sessions_app_turn FOR EACH ROW
  WHEN (OLD.status IN ('queued', 'withdrawn') OR NEW.status IN ('queued', 'withdrawn'))
  EXECUTE FUNCTION hermes_turn_size();
--------
CREATE TRIGGER hermes_turn_delete AFTER DELETE ON sessions_app_turn FOR EACH ROW
  WHEN (OLD.status IN ('queued', 'withdrawn')) EXECUTE FUNCTION hermes_turn_size();
--------
-- What a turn has cost stays when its row goes, as a sum without a word. Rows are only added: none is waited for.
CREATE OR REPLACE FUNCTION hermes_turn_spent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO sessions_app_keptspending (day, owner_id, profile_id, beside, miss, turns, expected_tokens, missed_tokens,
      input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost, saved, priced, unpriced,
      uncounted_tokens, uncounted_cost)
    SELECT (turn.created_at AT TIME ZONE 'UTC')::date, turn.owner_id, chat_session.profile_id,
           CASE WHEN turn.kind IN ('title', 'refresh') THEN turn.kind ELSE '' END, turn.miss,
           count(*) FILTER (WHERE turn.prefix_digest <> '' AND turn.kind NOT IN ('title', 'refresh')),
           sum(turn.expected_tokens), sum(greatest(turn.expected_tokens - turn.cached_tokens, 0)),
           sum(turn.input_tokens), sum(turn.cached_tokens), sum(turn.cache_write_tokens), sum(turn.output_tokens),
           sum(turn.reasoning_tokens), sum(coalesce(turn.cost, 0)), sum(coalesce(turn.saved, 0)),
           count(turn.cost) FILTER (WHERE turn.prefix_digest <> ''),
           count(*) FILTER (WHERE turn.prefix_digest <> '' AND turn.cost IS NULL),
           sum(turn.uncounted_tokens), sum(turn.uncounted_cost)
    FROM old_rows AS turn LEFT JOIN sessions_app_chatsession AS chat_session ON chat_session.id = turn.chat_session_id
    WHERE turn.prefix_digest <> '' OR turn.uncounted_tokens > 0 GROUP BY 1, 2, 3, 4, 5;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_turn_spent AFTER DELETE ON sessions_app_turn REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION hermes_turn_spent();
--------
CREATE OR REPLACE FUNCTION hermes_turn_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO sessions_app_storagecount (owner_id, sessions, characters)
    SELECT owner_id, 0, -sum(length(text)) FROM sessions_app_turn
    WHERE status IN ('queued', 'withdrawn') GROUP BY owner_id;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_turn_truncate BEFORE TRUNCATE ON sessions_app_turn
  FOR EACH STATEMENT EXECUTE FUNCTION hermes_turn_truncate();
--------
-- Files: what is to be removed takes no room any more.
CREATE OR REPLACE FUNCTION hermes_content_size() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO sessions_app_storagecount (owner_id, sessions, characters, file_bytes)
    SELECT owner_id, 0, 0, sum(size)
    FROM (VALUES (OLD.owner_id, OLD.state, -OLD.stored_size), (NEW.owner_id, NEW.state, NEW.stored_size))
      AS change (owner_id, state, size)
    WHERE state <> 'removed' GROUP BY owner_id HAVING sum(size) <> 0;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_content_insert AFTER INSERT ON sessions_app_filecontent
  FOR EACH ROW EXECUTE FUNCTION hermes_content_size();
--------
CREATE TRIGGER hermes_content_update AFTER UPDATE OF state, stored_size, owner_id ON sessions_app_filecontent
  FOR EACH ROW EXECUTE FUNCTION hermes_content_size();
--------
CREATE TRIGGER hermes_content_delete AFTER DELETE ON sessions_app_filecontent
  FOR EACH ROW EXECUTE FUNCTION hermes_content_size();
--------
CREATE OR REPLACE FUNCTION hermes_content_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO sessions_app_storagecount (owner_id, sessions, characters, file_bytes)
    SELECT owner_id, 0, 0, -sum(stored_size) FROM sessions_app_filecontent
    WHERE state <> 'removed' GROUP BY owner_id;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_content_truncate BEFORE TRUNCATE ON sessions_app_filecontent
  FOR EACH STATEMENT EXECUTE FUNCTION hermes_content_truncate();
--------
CREATE OR REPLACE FUNCTION hermes_user_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE sessions_app_filecontent SET state = 'removed' WHERE owner_id = OLD.id;
  DELETE FROM sessions_app_storagecount WHERE owner_id = OLD.id;
  DELETE FROM sessions_app_journalentry WHERE owner_id = OLD.id;
  DELETE FROM sessions_app_journalhead WHERE owner_id = OLD.id;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_user_delete AFTER DELETE ON {users}
  FOR EACH ROW EXECUTE FUNCTION hermes_user_delete();
--------
-- The audit only grows, whoever writes. (While there are no rows, `flush` may empty the tables.)
CREATE OR REPLACE FUNCTION hermes_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM sessions_app_auditentry) THEN
    RAISE EXCEPTION 'rows of the audit are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_audit_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON sessions_app_auditentry
  FOR EACH STATEMENT EXECUTE FUNCTION hermes_audit_refuse();
--------
-- Its head moves forwards only.
CREATE TRIGGER hermes_audithead_refuse BEFORE DELETE OR TRUNCATE ON sessions_app_audithead
  FOR EACH STATEMENT EXECUTE FUNCTION hermes_audit_refuse();
--------
CREATE OR REPLACE FUNCTION hermes_audithead_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the head of the audit never goes back' USING ERRCODE = 'integrity_constraint_violation';
END $$;
--------
CREATE TRIGGER hermes_audithead_update BEFORE UPDATE ON sessions_app_audithead FOR EACH ROW
  WHEN (NEW.id <> OLD.id OR NEW.count < OLD.count OR (NEW.count = OLD.count AND NEW.digest <> OLD.digest))
  EXECUTE FUNCTION hermes_audithead_update();
