-- Standby WorkSpaces, in a secondary region, with their primaries in another. A row goes with the standby WorkSpace.
CREATE TABLE standby (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  primary_region TEXT NOT NULL,
  primary_id TEXT NOT NULL,
  replication TEXT NOT NULL,
  recovered_at BIGINT NOT NULL,
  retry_at BIGINT NOT NULL,
  PRIMARY KEY (account, region, id)
);

-- A primary WorkSpace has one standby WorkSpace.
CREATE UNIQUE INDEX standby_primary ON standby (account, primary_region, primary_id);

-- The regions that the administrator has said are down.
CREATE TABLE region_down (
  name TEXT PRIMARY KEY,
  since BIGINT NOT NULL
);
