-- Pools of desktops. What the desktops are made of is JSON: see workspaces.PoolDesign.
CREATE TABLE pool (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  directory_id TEXT NOT NULL,
  bundle_id TEXT NOT NULL,
  design TEXT NOT NULL,
  running_mode TEXT NOT NULL,
  desired BIGINT NOT NULL,
  timeouts TEXT NOT NULL,
  state TEXT NOT NULL,
  generation BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  deadline BIGINT NOT NULL,
  wake_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  retry_at BIGINT NOT NULL,
  error_code TEXT NOT NULL,
  error_message TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (account, region, id)
);

CREATE UNIQUE INDEX pool_page ON pool (account, region, seq);

CREATE UNIQUE INDEX pool_name ON pool (account, region, name);

CREATE INDEX pool_wake ON pool (wake_at) WHERE wake_at > 0;

-- The desktops of pools. One may outlive its pool for as long as the engine does not remove it.
CREATE TABLE pool_desktop (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  pool_id TEXT NOT NULL,
  directory_id TEXT NOT NULL,
  design TEXT NOT NULL,
  subnet_id TEXT NOT NULL,
  address_offset BIGINT NOT NULL,
  address TEXT NOT NULL,
  computer_name TEXT NOT NULL,
  state TEXT NOT NULL,
  generation BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  deadline BIGINT NOT NULL,
  wake_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  PRIMARY KEY (account, region, id)
);

CREATE INDEX pool_desktop_pool ON pool_desktop (account, region, pool_id);

CREATE UNIQUE INDEX pool_desktop_address ON pool_desktop (subnet_id, address_offset);

CREATE INDEX pool_desktop_wake ON pool_desktop (wake_at) WHERE wake_at > 0;
