-- What only some types of directories have, as JSON: see workspaces.DirectoryDetails.
ALTER TABLE directory ADD COLUMN details TEXT NOT NULL DEFAULT '{}';

-- An alias belongs for ever to the first directory that had it, in all accounts and regions.
CREATE TABLE directory_alias (
  name TEXT PRIMARY KEY
);

CREATE TABLE trust (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  directory_id TEXT NOT NULL,
  remote_domain TEXT NOT NULL,
  direction TEXT NOT NULL,
  type TEXT NOT NULL,
  selective_auth TEXT NOT NULL,
  forwarders TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  state_changed_at BIGINT NOT NULL,
  generation BIGINT NOT NULL,
  deadline BIGINT NOT NULL,
  wake_at BIGINT NOT NULL,
  PRIMARY KEY (account, region, id)
);

CREATE INDEX trust_directory ON trust (account, region, directory_id);

CREATE INDEX trust_wake ON trust (wake_at) WHERE wake_at > 0;
