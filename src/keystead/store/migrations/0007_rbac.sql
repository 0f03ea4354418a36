-- Which role holds which permission on which single object. A permission's full name fixes the model of the object.
CREATE TABLE object_permissions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- @sqlite
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- @postgres
    role_id TEXT NOT NULL,
    permission TEXT NOT NULL,
    model TEXT NOT NULL,
    object_pk TEXT NOT NULL
);
CREATE UNIQUE INDEX uq_object_permissions__role_id ON object_permissions (role_id, permission, object_pk);
CREATE INDEX ix_object_permissions_object ON object_permissions (model, object_pk, role_id);

-- @down
DROP TABLE object_permissions;
