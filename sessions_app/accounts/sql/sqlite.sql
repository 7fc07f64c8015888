-- What SQLite does by itself when a user's row changes. Statements are separated by a line of dashes.
--
-- The conflict clause of an outer statement (INSERT OR IGNORE, OR REPLACE) overrides those inside a trigger, so a
-- name that is taken is refused by RAISE. OR REPLACE deletes a user and fires no trigger for that; the insert cleans up.

CREATE VIEW hermes_name_shapes AS
SELECT account.id AS owner_id, letters.form, (
  WITH RECURSIVE read (length, shape) AS (
    SELECT 0, ''
    UNION ALL
    SELECT length + 1, shape || coalesce(
      (SELECT CASE letters.form WHEN 'lower' THEN in_lower WHEN 'upper' THEN in_upper ELSE as_is END
       FROM hermes_name_character WHERE character = substr(account.username, length + 1, 1)),
      substr(account.username, length + 1, 1))
    FROM read WHERE length < length(account.username))
  SELECT shape FROM read ORDER BY length DESC LIMIT 1) AS shape
FROM {users} AS account CROSS JOIN (SELECT 'as is' AS form UNION ALL SELECT 'lower' UNION ALL SELECT 'upper') AS letters;
--------
CREATE TRIGGER hermes_name_insert AFTER INSERT ON {users}
BEGIN
  DELETE FROM accounts_nameshape WHERE owner_id = NEW.id;
  SELECT RAISE(ABORT, 'the name is taken, or looks too much like one that is') WHERE EXISTS (
    SELECT 1 FROM hermes_name_shapes JOIN accounts_nameshape USING (shape) WHERE hermes_name_shapes.owner_id = NEW.id);
  INSERT INTO accounts_nameshape (owner_id, shape)
    SELECT DISTINCT owner_id, shape FROM hermes_name_shapes WHERE owner_id = NEW.id;
END;
--------
CREATE TRIGGER hermes_name_update AFTER UPDATE OF id, username ON {users}
WHEN OLD.username <> NEW.username OR OLD.id <> NEW.id
BEGIN
  DELETE FROM accounts_nameshape WHERE owner_id IN (OLD.id, NEW.id);
  SELECT RAISE(ABORT, 'the name is taken, or looks too much like one that is') WHERE EXISTS (
    SELECT 1 FROM hermes_name_shapes JOIN accounts_nameshape USING (shape) WHERE hermes_name_shapes.owner_id = NEW.id);
  INSERT INTO accounts_nameshape (owner_id, shape)
    SELECT DISTINCT owner_id, shape FROM hermes_name_shapes WHERE owner_id = NEW.id;
END;
--------
CREATE TRIGGER hermes_name_delete BEFORE DELETE ON {users}
BEGIN
  DELETE FROM accounts_nameshape WHERE owner_id = OLD.id;
END;
--------
-- What a user has is over for good when they are deactivated: it does not come back with them. Whoever does it as an
-- identity provider says so afterwards.
CREATE TRIGGER hermes_user_deactivated AFTER UPDATE OF is_active ON {users}
WHEN OLD.is_active AND NOT NEW.is_active
BEGIN
  DELETE FROM django_session WHERE session_key IN (SELECT session_key FROM accounts_login WHERE owner_id = NEW.id);
  DELETE FROM accounts_login WHERE owner_id = NEW.id;
  DELETE FROM sessions_app_apitoken WHERE owner_id = NEW.id;
  UPDATE sessions_app_provisioneduser SET is_deactivated = false WHERE user_id = NEW.id;
END;
