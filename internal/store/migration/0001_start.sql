-- Times are microseconds since 1970, 0 where there is none. Lists and settings are JSON.

CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE access_key (
  id TEXT PRIMARY KEY,
  secret TEXT NOT NULL,
  account TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE subnet (
  id TEXT PRIMARY KEY,
  vpc_id TEXT NOT NULL,
  region TEXT NOT NULL,
  zone TEXT NOT NULL,
  prefix TEXT NOT NULL,
  gateway TEXT NOT NULL,
  engine_network TEXT NOT NULL,
  last_offset BIGINT NOT NULL
);

CREATE TABLE directory (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  name TEXT NOT NULL,
  short_name TEXT NOT NULL,
  size TEXT NOT NULL,
  edition TEXT NOT NULL,
  description TEXT NOT NULL,
  alias TEXT NOT NULL,
  network_type TEXT NOT NULL,
  stage TEXT NOT NULL,
  stage_reason TEXT NOT NULL,
  stage_changed_at BIGINT NOT NULL,
  launched_at BIGINT NOT NULL,
  generation BIGINT NOT NULL,
  deadline BIGINT NOT NULL,
  wake_at BIGINT NOT NULL,
  vpc_id TEXT NOT NULL,
  subnet_ids TEXT NOT NULL,
  zones TEXT NOT NULL,
  security_group_id TEXT NOT NULL,
  dns_addresses TEXT NOT NULL,
  sso_enabled BOOLEAN NOT NULL,
  data_access TEXT NOT NULL,
  PRIMARY KEY (account, region, id)
);

CREATE TABLE directory_user (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  directory_id TEXT NOT NULL,
  user_key TEXT NOT NULL,
  name TEXT NOT NULL,
  sid TEXT NOT NULL,
  given_name TEXT NOT NULL,
  surname TEXT NOT NULL,
  email_address TEXT NOT NULL,
  attributes TEXT NOT NULL,
  enabled BOOLEAN NOT NULL,
  password_hash TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (account, region, directory_id, user_key)
);

CREATE TABLE workspace_directory (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  name TEXT NOT NULL,
  alias TEXT NOT NULL,
  type TEXT NOT NULL,
  registration_code TEXT NOT NULL,
  customer_user_name TEXT NOT NULL,
  subnet_ids TEXT NOT NULL,
  dns_addresses TEXT NOT NULL,
  security_group_id TEXT NOT NULL,
  role_arn TEXT NOT NULL,
  tenancy TEXT NOT NULL,
  user_identity_type TEXT NOT NULL,
  workspace_type TEXT NOT NULL,
  state TEXT NOT NULL,
  error_message TEXT NOT NULL,
  generation BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  deadline BIGINT NOT NULL,
  wake_at BIGINT NOT NULL,
  registered_at BIGINT NOT NULL,
  empty_since BIGINT NOT NULL,
  settings TEXT NOT NULL,
  PRIMARY KEY (account, region, id)
);

CREATE UNIQUE INDEX workspace_directory_code ON workspace_directory (registration_code);

-- The record is a JSON list of all values of the WorkSpace but wake_at, in the order of store/workspace.go.
-- The other columns are what queries look for; they are written together with it.
CREATE TABLE workspace (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  directory_id TEXT NOT NULL,
  user_key TEXT NOT NULL,
  name TEXT NOT NULL,
  bundle_id TEXT NOT NULL,
  state TEXT NOT NULL,
  generation BIGINT NOT NULL,
  deadline BIGINT NOT NULL,
  wake_at BIGINT NOT NULL,
  compute_type TEXT NOT NULL,
  subnet_id TEXT NOT NULL,
  address_offset BIGINT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (account, region, id)
);

-- Pages are read in the order of creation, alone, by directory and by bundle.
CREATE UNIQUE INDEX workspace_page ON workspace (account, region, seq);

CREATE INDEX workspace_directory_page ON workspace (account, region, directory_id, seq);

CREATE INDEX workspace_bundle_page ON workspace (account, region, bundle_id, seq);

-- One WorkSpace per user and directory; user-decoupled ones have no user key.
CREATE UNIQUE INDEX workspace_user ON workspace (account, region, directory_id, user_key) WHERE user_key <> '';

-- What quotas count, without a look at the rows themselves.
CREATE INDEX workspace_compute ON workspace (account, region, compute_type, state);

CREATE INDEX workspace_name ON workspace (account, region, name) WHERE name <> '';

-- No address is given twice.
CREATE UNIQUE INDEX workspace_address ON workspace (subnet_id, address_offset) WHERE subnet_id <> '';

CREATE INDEX workspace_wake ON workspace (wake_at) WHERE wake_at > 0;

CREATE TABLE tag (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  resource_id TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (account, region, resource_id, key)
);
