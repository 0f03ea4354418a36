-- Which stage an account at Duo was connected in, whose keys ask for it; nobody's account is somebody else's too.

ALTER TABLE devices_duo ADD COLUMN stage_id TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX uq_devices_duo__duo_user_id ON devices_duo (duo_user_id) WHERE duo_user_id <> '';

-- @down
DROP INDEX uq_devices_duo__duo_user_id;
ALTER TABLE devices_duo DROP COLUMN stage_id;
