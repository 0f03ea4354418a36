-- Lists of a million users: an index for every order, substring search by groups of three letters, members of attributes,
-- and counts by what lists are narrowed by most. The statement is one line where an engine's mark stands at its end.
DROP INDEX ix_users_email;
DROP INDEX ix_users_name;
DROP INDEX ix_users_path;
DROP INDEX ix_users_type;
DROP INDEX ix_users_last_login;
DROP INDEX ix_users_date_joined;
DROP INDEX ix_groups_superuser;
CREATE INDEX ix_users_email ON users (email, id);
CREATE INDEX ix_users_name ON users (name, id);
CREATE INDEX ix_users_path ON users (path, id);
CREATE INDEX ix_users_type ON users (type, id);
CREATE INDEX ix_users_is_active ON users (is_active, id);
CREATE INDEX ix_users_last_login ON users (last_login, id);
CREATE INDEX ix_users_last_login_order ON users (coalesce(last_login, 9223372036854775807), id);
CREATE INDEX ix_users_date_joined ON users (date_joined, id);
CREATE INDEX ix_users_last_updated ON users (last_updated, id);
CREATE INDEX ix_users_password_change_date ON users (password_change_date, id);
CREATE INDEX ix_groups_superuser ON groups (is_superuser, id);
-- Walks in the usual order look at what lists are narrowed by most without reading the rows themselves.
CREATE INDEX ix_users_listed ON users (username, id, name, email, is_active, type, path); -- @sqlite
CREATE INDEX ix_users_listed ON users (username) INCLUDE (id, name, email, is_active, type, path); -- @postgres

-- Texts are cut into all their groups of three letters, so that any part of three letters or more is found by those it
-- holds, and a shorter one by those that begin with it: two line ends follow each text for the sake of its last letters.
CREATE FUNCTION keystead_grams(VARIADIC texts TEXT[]) RETURNS TSVECTOR LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$ DECLARE whole TEXT := lower(array_to_string(texts, E'\n\n')) || E'\n\n'; BEGIN RETURN array_to_tsvector(ARRAY(SELECT DISTINCT substr(whole, i, 3) FROM generate_series(1, length(whole) - 2) AS i)); END $$; -- @postgres
CREATE INDEX ix_users_grams ON users USING gin (keystead_grams(username, name, email)); -- @postgres
CREATE INDEX ix_groups_grams ON groups USING gin (keystead_grams(name)); -- @postgres
CREATE VIRTUAL TABLE users_grams USING fts5(text, content='', tokenize='trigram', columnsize=0); -- @fts5
CREATE VIRTUAL TABLE users_gram_terms USING fts5vocab(users_grams, 'row'); -- @fts5
INSERT INTO users_grams (rowid, text) SELECT t.id, t.username || char(10, 10) || t.name || char(10, 10) || t.email || char(10, 10) FROM users t; -- @fts5
CREATE TRIGGER users_grams_in AFTER INSERT ON users BEGIN INSERT INTO users_grams (rowid, text) VALUES (NEW.id, NEW.username || char(10, 10) || NEW.name || char(10, 10) || NEW.email || char(10, 10)); END; -- @fts5
CREATE TRIGGER users_grams_out AFTER DELETE ON users BEGIN INSERT INTO users_grams (users_grams, rowid, text) VALUES ('delete', OLD.id, OLD.username || char(10, 10) || OLD.name || char(10, 10) || OLD.email || char(10, 10)); END; -- @fts5
CREATE TRIGGER users_grams_new AFTER UPDATE OF id, username, name, email ON users BEGIN INSERT INTO users_grams (users_grams, rowid, text) VALUES ('delete', OLD.id, OLD.username || char(10, 10) || OLD.name || char(10, 10) || OLD.email || char(10, 10)); INSERT INTO users_grams (rowid, text) VALUES (NEW.id, NEW.username || char(10, 10) || NEW.name || char(10, 10) || NEW.email || char(10, 10)); END; -- @fts5
CREATE VIRTUAL TABLE groups_grams USING fts5(text, content='', tokenize='trigram', columnsize=0); -- @fts5
CREATE VIRTUAL TABLE groups_gram_terms USING fts5vocab(groups_grams, 'row'); -- @fts5
INSERT INTO groups_grams (rowid, text) SELECT t.num_pk, t.name || char(10, 10) FROM groups t; -- @fts5
CREATE TRIGGER groups_grams_in AFTER INSERT ON groups BEGIN INSERT INTO groups_grams (rowid, text) VALUES (NEW.num_pk, NEW.name || char(10, 10)); END; -- @fts5
CREATE TRIGGER groups_grams_out AFTER DELETE ON groups BEGIN INSERT INTO groups_grams (groups_grams, rowid, text) VALUES ('delete', OLD.num_pk, OLD.name || char(10, 10)); END; -- @fts5
CREATE TRIGGER groups_grams_new AFTER UPDATE OF num_pk, name ON groups BEGIN INSERT INTO groups_grams (groups_grams, rowid, text) VALUES ('delete', OLD.num_pk, OLD.name || char(10, 10)); INSERT INTO groups_grams (rowid, text) VALUES (NEW.num_pk, NEW.name || char(10, 10)); END; -- @fts5

-- PostgreSQL finds attributes by what they hold (0001). For SQLite each scalar in them, at whatever depth, becomes a word:
-- the hexadecimal form of its sort, the name of its member and its value.
CREATE VIRTUAL TABLE users_facts USING fts5(words, content='', tokenize='ascii', detail=none, columnsize=0); -- @fts5
INSERT INTO users_facts (rowid, words) SELECT t.id, (SELECT group_concat(hex(CASE type WHEN 'true' THEN 'b' WHEN 'false' THEN 'b' WHEN 'null' THEN '0' WHEN 'text' THEN 't' ELSE 'n' END || CASE typeof(key) WHEN 'text' THEN substr(key, 1, 100) ELSE '' END || '=' || CASE type WHEN 'text' THEN substr(atom, 1, 100) WHEN 'null' THEN '' ELSE printf('%.15g', atom) END), ' ') FROM json_tree(t.attributes) WHERE type NOT IN ('object', 'array')) FROM users t; -- @fts5
CREATE TRIGGER users_facts_in AFTER INSERT ON users BEGIN INSERT INTO users_facts (rowid, words) VALUES (NEW.id, (SELECT group_concat(hex(CASE type WHEN 'true' THEN 'b' WHEN 'false' THEN 'b' WHEN 'null' THEN '0' WHEN 'text' THEN 't' ELSE 'n' END || CASE typeof(key) WHEN 'text' THEN substr(key, 1, 100) ELSE '' END || '=' || CASE type WHEN 'text' THEN substr(atom, 1, 100) WHEN 'null' THEN '' ELSE printf('%.15g', atom) END), ' ') FROM json_tree(NEW.attributes) WHERE type NOT IN ('object', 'array'))); END; -- @fts5
CREATE TRIGGER users_facts_out AFTER DELETE ON users BEGIN INSERT INTO users_facts (users_facts, rowid, words) VALUES ('delete', OLD.id, (SELECT group_concat(hex(CASE type WHEN 'true' THEN 'b' WHEN 'false' THEN 'b' WHEN 'null' THEN '0' WHEN 'text' THEN 't' ELSE 'n' END || CASE typeof(key) WHEN 'text' THEN substr(key, 1, 100) ELSE '' END || '=' || CASE type WHEN 'text' THEN substr(atom, 1, 100) WHEN 'null' THEN '' ELSE printf('%.15g', atom) END), ' ') FROM json_tree(OLD.attributes) WHERE type NOT IN ('object', 'array'))); END; -- @fts5
CREATE TRIGGER users_facts_new AFTER UPDATE OF id, attributes ON users BEGIN INSERT INTO users_facts (users_facts, rowid, words) VALUES ('delete', OLD.id, (SELECT group_concat(hex(CASE type WHEN 'true' THEN 'b' WHEN 'false' THEN 'b' WHEN 'null' THEN '0' WHEN 'text' THEN 't' ELSE 'n' END || CASE typeof(key) WHEN 'text' THEN substr(key, 1, 100) ELSE '' END || '=' || CASE type WHEN 'text' THEN substr(atom, 1, 100) WHEN 'null' THEN '' ELSE printf('%.15g', atom) END), ' ') FROM json_tree(OLD.attributes) WHERE type NOT IN ('object', 'array'))); INSERT INTO users_facts (rowid, words) VALUES (NEW.id, (SELECT group_concat(hex(CASE type WHEN 'true' THEN 'b' WHEN 'false' THEN 'b' WHEN 'null' THEN '0' WHEN 'text' THEN 't' ELSE 'n' END || CASE typeof(key) WHEN 'text' THEN substr(key, 1, 100) ELSE '' END || '=' || CASE type WHEN 'text' THEN substr(atom, 1, 100) WHEN 'null' THEN '' ELSE printf('%.15g', atom) END), ' ') FROM json_tree(NEW.attributes) WHERE type NOT IN ('object', 'array'))); END; -- @fts5
CREATE VIRTUAL TABLE groups_facts USING fts5(words, content='', tokenize='ascii', detail=none, columnsize=0); -- @fts5
INSERT INTO groups_facts (rowid, words) SELECT t.num_pk, (SELECT group_concat(hex(CASE type WHEN 'true' THEN 'b' WHEN 'false' THEN 'b' WHEN 'null' THEN '0' WHEN 'text' THEN 't' ELSE 'n' END || CASE typeof(key) WHEN 'text' THEN substr(key, 1, 100) ELSE '' END || '=' || CASE type WHEN 'text' THEN substr(atom, 1, 100) WHEN 'null' THEN '' ELSE printf('%.15g', atom) END), ' ') FROM json_tree(t.attributes) WHERE type NOT IN ('object', 'array')) FROM groups t; -- @fts5
CREATE TRIGGER groups_facts_in AFTER INSERT ON groups BEGIN INSERT INTO groups_facts (rowid, words) VALUES (NEW.num_pk, (SELECT group_concat(hex(CASE type WHEN 'true' THEN 'b' WHEN 'false' THEN 'b' WHEN 'null' THEN '0' WHEN 'text' THEN 't' ELSE 'n' END || CASE typeof(key) WHEN 'text' THEN substr(key, 1, 100) ELSE '' END || '=' || CASE type WHEN 'text' THEN substr(atom, 1, 100) WHEN 'null' THEN '' ELSE printf('%.15g', atom) END), ' ') FROM json_tree(NEW.attributes) WHERE type NOT IN ('object', 'array'))); END; -- @fts5
CREATE TRIGGER groups_facts_out AFTER DELETE ON groups BEGIN INSERT INTO groups_facts (groups_facts, rowid, words) VALUES ('delete', OLD.num_pk, (SELECT group_concat(hex(CASE type WHEN 'true' THEN 'b' WHEN 'false' THEN 'b' WHEN 'null' THEN '0' WHEN 'text' THEN 't' ELSE 'n' END || CASE typeof(key) WHEN 'text' THEN substr(key, 1, 100) ELSE '' END || '=' || CASE type WHEN 'text' THEN substr(atom, 1, 100) WHEN 'null' THEN '' ELSE printf('%.15g', atom) END), ' ') FROM json_tree(OLD.attributes) WHERE type NOT IN ('object', 'array'))); END; -- @fts5
CREATE TRIGGER groups_facts_new AFTER UPDATE OF num_pk, attributes ON groups BEGIN INSERT INTO groups_facts (groups_facts, rowid, words) VALUES ('delete', OLD.num_pk, (SELECT group_concat(hex(CASE type WHEN 'true' THEN 'b' WHEN 'false' THEN 'b' WHEN 'null' THEN '0' WHEN 'text' THEN 't' ELSE 'n' END || CASE typeof(key) WHEN 'text' THEN substr(key, 1, 100) ELSE '' END || '=' || CASE type WHEN 'text' THEN substr(atom, 1, 100) WHEN 'null' THEN '' ELSE printf('%.15g', atom) END), ' ') FROM json_tree(OLD.attributes) WHERE type NOT IN ('object', 'array'))); INSERT INTO groups_facts (rowid, words) VALUES (NEW.num_pk, (SELECT group_concat(hex(CASE type WHEN 'true' THEN 'b' WHEN 'false' THEN 'b' WHEN 'null' THEN '0' WHEN 'text' THEN 't' ELSE 'n' END || CASE typeof(key) WHEN 'text' THEN substr(key, 1, 100) ELSE '' END || '=' || CASE type WHEN 'text' THEN substr(atom, 1, 100) WHEN 'null' THEN '' ELSE printf('%.15g', atom) END), ' ') FROM json_tree(NEW.attributes) WHERE type NOT IN ('object', 'array'))); END; -- @fts5

-- How many users of each sort there are, kept by triggers as row_counts is.
CREATE TABLE user_census (
    path TEXT NOT NULL,
    type TEXT NOT NULL,
    is_active BOOLEAN NOT NULL,
    shard BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (path, type, is_active, shard)
);
INSERT INTO user_census (path, type, is_active, shard, n) SELECT path, type, is_active, 0, count(*) FROM users GROUP BY path, type, is_active;
CREATE FUNCTION keystead_census() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN INSERT INTO user_census (path, type, is_active, shard, n) SELECT path, type, is_active, pg_backend_pid() % 16, CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END FROM moved GROUP BY path, type, is_active ORDER BY path, type, is_active ON CONFLICT (path, type, is_active, shard) DO UPDATE SET n = user_census.n + excluded.n; RETURN NULL; END $$; -- @postgres
CREATE FUNCTION keystead_census_moved() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN INSERT INTO user_census (path, type, is_active, shard, n) VALUES (OLD.path, OLD.type, OLD.is_active, pg_backend_pid() % 16, -1), (NEW.path, NEW.type, NEW.is_active, pg_backend_pid() % 16, 1) ON CONFLICT (path, type, is_active, shard) DO UPDATE SET n = user_census.n + excluded.n; RETURN NULL; END $$; -- @postgres
CREATE TRIGGER census_in AFTER INSERT ON users REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION keystead_census(); -- @postgres
CREATE TRIGGER census_out AFTER DELETE ON users REFERENCING OLD TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION keystead_census(); -- @postgres
CREATE TRIGGER census_moved AFTER UPDATE OF path, type, is_active ON users FOR EACH ROW WHEN ((OLD.path, OLD.type, OLD.is_active) IS DISTINCT FROM (NEW.path, NEW.type, NEW.is_active)) EXECUTE FUNCTION keystead_census_moved(); -- @postgres
CREATE TRIGGER census_in AFTER INSERT ON users BEGIN INSERT INTO user_census (path, type, is_active, shard, n) VALUES (NEW.path, NEW.type, NEW.is_active, 0, 1) ON CONFLICT (path, type, is_active, shard) DO UPDATE SET n = n + 1; END; -- @sqlite
CREATE TRIGGER census_out AFTER DELETE ON users BEGIN INSERT INTO user_census (path, type, is_active, shard, n) VALUES (OLD.path, OLD.type, OLD.is_active, 0, -1) ON CONFLICT (path, type, is_active, shard) DO UPDATE SET n = n + -1; END; -- @sqlite
CREATE TRIGGER census_moved AFTER UPDATE OF path, type, is_active ON users BEGIN INSERT INTO user_census (path, type, is_active, shard, n) VALUES (OLD.path, OLD.type, OLD.is_active, 0, -1) ON CONFLICT (path, type, is_active, shard) DO UPDATE SET n = n + -1; INSERT INTO user_census (path, type, is_active, shard, n) VALUES (NEW.path, NEW.type, NEW.is_active, 0, 1) ON CONFLICT (path, type, is_active, shard) DO UPDATE SET n = n + 1; END; -- @sqlite

-- @down
DROP TRIGGER census_moved; -- @sqlite
DROP TRIGGER census_out; -- @sqlite
DROP TRIGGER census_in; -- @sqlite
DROP TRIGGER census_moved ON users; -- @postgres
DROP TRIGGER census_out ON users; -- @postgres
DROP TRIGGER census_in ON users; -- @postgres
DROP FUNCTION keystead_census_moved(); -- @postgres
DROP FUNCTION keystead_census(); -- @postgres
DROP TABLE user_census;
DROP TRIGGER users_facts_new; -- @fts5
DROP TRIGGER users_facts_out; -- @fts5
DROP TRIGGER users_facts_in; -- @fts5
DROP TRIGGER users_grams_new; -- @fts5
DROP TRIGGER users_grams_out; -- @fts5
DROP TRIGGER users_grams_in; -- @fts5
DROP TABLE users_facts; -- @fts5
DROP TABLE users_gram_terms; -- @fts5
DROP TABLE users_grams; -- @fts5
DROP TRIGGER groups_facts_new; -- @fts5
DROP TRIGGER groups_facts_out; -- @fts5
DROP TRIGGER groups_facts_in; -- @fts5
DROP TRIGGER groups_grams_new; -- @fts5
DROP TRIGGER groups_grams_out; -- @fts5
DROP TRIGGER groups_grams_in; -- @fts5
DROP TABLE groups_facts; -- @fts5
DROP TABLE groups_gram_terms; -- @fts5
DROP TABLE groups_grams; -- @fts5
DROP INDEX ix_groups_grams; -- @postgres
DROP INDEX ix_users_grams; -- @postgres
DROP FUNCTION keystead_grams(TEXT[]); -- @postgres
DROP INDEX ix_users_listed;
DROP INDEX ix_groups_superuser;
DROP INDEX ix_users_password_change_date;
DROP INDEX ix_users_last_updated;
DROP INDEX ix_users_date_joined;
DROP INDEX ix_users_last_login_order;
DROP INDEX ix_users_last_login;
DROP INDEX ix_users_is_active;
DROP INDEX ix_users_type;
DROP INDEX ix_users_path;
DROP INDEX ix_users_name;
DROP INDEX ix_users_email;
CREATE INDEX ix_users_email ON users (email);
CREATE INDEX ix_users_name ON users (name);
CREATE INDEX ix_users_path ON users (path);
CREATE INDEX ix_users_type ON users (type, username);
CREATE INDEX ix_users_last_login ON users (last_login);
CREATE INDEX ix_users_date_joined ON users (date_joined);
CREATE INDEX ix_groups_superuser ON groups (is_superuser, name);
