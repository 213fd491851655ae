-- What desktops of pools have been, written when they are it no more, and, with no desktop and no state, how long a
-- pool has been there. What they are now is in their rows.
CREATE TABLE pool_stay (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  pool_id TEXT NOT NULL,
  until BIGINT NOT NULL,
  desktop_id TEXT NOT NULL,
  state TEXT NOT NULL,
  since BIGINT NOT NULL,
  PRIMARY KEY (account, region, pool_id, until, desktop_id, state)
);

-- How many sessions pools had no desktop for, by the minute from at on.
CREATE TABLE pool_refusal (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  pool_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (account, region, pool_id, at)
);

-- The values that are summed up, where they differ: see workspaces.Measured.
ALTER TABLE happening ADD COLUMN measured TEXT NOT NULL DEFAULT '';
