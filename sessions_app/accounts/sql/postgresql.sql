-- What PostgreSQL does by itself when a user's row changes. Statements are separated by a line of dashes.

CREATE VIEW hermes_name_shapes AS
SELECT {users}.id AS owner_id, letters.form, letters.shape
FROM {users}
CROSS JOIN LATERAL (
  SELECT coalesce(string_agg(coalesce(as_is, letter), '' ORDER BY place), '') AS as_is,
         coalesce(string_agg(coalesce(in_lower, letter), '' ORDER BY place), '') AS in_lower,
         coalesce(string_agg(coalesce(in_upper, letter), '' ORDER BY place), '') AS in_upper
  FROM unnest(string_to_array({users}.username, NULL)) WITH ORDINALITY AS name (letter, place)
  LEFT JOIN hermes_name_character ON character = letter) AS read
CROSS JOIN LATERAL (VALUES ('as is', as_is), ('lower', in_lower), ('upper', in_upper)) AS letters (form, shape);
--------
CREATE OR REPLACE FUNCTION hermes_name_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    DELETE FROM accounts_nameshape WHERE owner_id = OLD.id;
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  -- In one order, so that two who want the same name wait for each other and not in a circle.
  INSERT INTO accounts_nameshape (owner_id, shape)
    SELECT DISTINCT owner_id, shape FROM hermes_name_shapes WHERE owner_id = NEW.id ORDER BY shape;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_name_insert AFTER INSERT ON {users}
  FOR EACH ROW EXECUTE FUNCTION hermes_name_change();
--------
CREATE TRIGGER hermes_name_update AFTER UPDATE OF id, username ON {users} FOR EACH ROW
  WHEN (OLD.username IS DISTINCT FROM NEW.username OR OLD.id <> NEW.id)
  EXECUTE FUNCTION hermes_name_change();
--------
CREATE TRIGGER hermes_name_delete BEFORE DELETE ON {users}
  FOR EACH ROW EXECUTE FUNCTION hermes_name_change();
--------
-- What a user has is over for good when they are deactivated: it does not come back with them. Whoever does it as an
-- identity provider says so afterwards.
CREATE OR REPLACE FUNCTION hermes_user_deactivated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM django_session WHERE session_key IN (SELECT session_key FROM accounts_login WHERE owner_id = NEW.id);
  DELETE FROM accounts_login WHERE owner_id = NEW.id;
  DELETE FROM sessions_app_apitoken WHERE owner_id = NEW.id;
  UPDATE sessions_app_provisioneduser SET is_deactivated = false WHERE user_id = NEW.id;
  RETURN NULL;
END $$;
--------
CREATE TRIGGER hermes_user_deactivated AFTER UPDATE OF is_active ON {users} FOR EACH ROW
  WHEN (OLD.is_active AND NOT NEW.is_active)
  EXECUTE FUNCTION hermes_user_deactivated();
