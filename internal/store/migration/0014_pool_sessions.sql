-- Who has a desktop of a pool. One user has one session in a pool, and one desktop is one session's.
CREATE TABLE pool_session (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  pool_id TEXT NOT NULL,
  directory_id TEXT NOT NULL,
  desktop_id TEXT NOT NULL,
  address TEXT NOT NULL,
  user_key TEXT NOT NULL,
  user_name TEXT NOT NULL,
  timeouts TEXT NOT NULL,
  settings_group TEXT NOT NULL,
  state TEXT NOT NULL,
  generation BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  deadline BIGINT NOT NULL,
  wake_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  brought BOOLEAN NOT NULL,
  PRIMARY KEY (account, region, id)
);

CREATE UNIQUE INDEX pool_session_page ON pool_session (account, region, seq);

CREATE UNIQUE INDEX pool_session_user ON pool_session (account, region, pool_id, user_key);

CREATE UNIQUE INDEX pool_session_desktop ON pool_session (account, region, desktop_id);

CREATE INDEX pool_session_wake ON pool_session (wake_at) WHERE wake_at > 0;

-- What is kept of users between their sessions, as archives.
CREATE TABLE pool_settings (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  directory_id TEXT NOT NULL,
  settings_group TEXT NOT NULL,
  user_key TEXT NOT NULL,
  saved_at BIGINT NOT NULL,
  archive BLOB NOT NULL,
  PRIMARY KEY (account, region, directory_id, settings_group, user_key)
);

-- What users' settings are kept under; '' where they are not kept.
ALTER TABLE pool ADD COLUMN settings_group TEXT NOT NULL DEFAULT '';

-- As in table directory, for directories of WorkSpaces' own.
ALTER TABLE workspace_directory ADD COLUMN next_rid BIGINT NOT NULL DEFAULT 1103;
