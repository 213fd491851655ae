-- A connection string belongs for ever to the first account that made an alias of it, in all regions.
CREATE TABLE connection_string (
  name TEXT PRIMARY KEY,
  account TEXT NOT NULL
);

CREATE TABLE connection_alias (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  connection_string TEXT NOT NULL,
  host TEXT NOT NULL,
  state TEXT NOT NULL,
  generation BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  deadline BIGINT NOT NULL,
  wake_at BIGINT NOT NULL,
  shared_with TEXT NOT NULL,
  association_status TEXT NOT NULL,
  associated_account TEXT NOT NULL,
  directory_id TEXT NOT NULL,
  connection_identifier TEXT NOT NULL,
  PRIMARY KEY (account, region, id)
);

-- The host is the connection string as it is compared.
CREATE UNIQUE INDEX connection_alias_host ON connection_alias (host, region);

CREATE INDEX connection_alias_shared ON connection_alias (shared_with, region) WHERE shared_with <> '';

CREATE INDEX connection_alias_directory ON connection_alias (directory_id) WHERE directory_id <> '';

CREATE INDEX connection_alias_wake ON connection_alias (wake_at) WHERE wake_at > 0;
