-- How often members of a group have come or gone, kept by triggers so that no code can forget it: who has read a long
-- list of members once need not read it again to know that it is still so.

ALTER TABLE groups ADD COLUMN members_revision BIGINT NOT NULL DEFAULT 0;
CREATE FUNCTION keystead_members() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN UPDATE groups SET members_revision = members_revision + 1 WHERE id IN (SELECT group_id FROM moved); RETURN NULL; END $$; -- @postgres
CREATE TRIGGER members_in AFTER INSERT ON group_members REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION keystead_members(); -- @postgres
CREATE TRIGGER members_out AFTER DELETE ON group_members REFERENCING OLD TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION keystead_members(); -- @postgres
CREATE TRIGGER members_in AFTER INSERT ON group_members BEGIN UPDATE groups SET members_revision = members_revision + 1 WHERE id = NEW.group_id; END; -- @sqlite
CREATE TRIGGER members_out AFTER DELETE ON group_members BEGIN UPDATE groups SET members_revision = members_revision + 1 WHERE id = OLD.group_id; END; -- @sqlite

-- @down
DROP TRIGGER members_out; -- @sqlite
DROP TRIGGER members_in; -- @sqlite
DROP TRIGGER members_out ON group_members; -- @postgres
DROP TRIGGER members_in ON group_members; -- @postgres
DROP FUNCTION keystead_members(); -- @postgres
ALTER TABLE groups DROP COLUMN members_revision;
