-- When the next automatic snapshot of a resting WorkSpace is due.
ALTER TABLE workspace ADD COLUMN next_snapshot_at BIGINT NOT NULL DEFAULT 0;

-- Those that are there already are due.
UPDATE workspace SET next_snapshot_at = 1 WHERE state IN ('AVAILABLE', 'STOPPED', 'UNHEALTHY');

CREATE INDEX workspace_snapshot ON workspace (next_snapshot_at) WHERE next_snapshot_at > 0 AND deadline = 0;

-- While a WorkSpace is migrated its user has two; the one that does not count has its own id here.
ALTER TABLE workspace ADD COLUMN stand_in TEXT NOT NULL DEFAULT '';

DROP INDEX workspace_user;

CREATE UNIQUE INDEX workspace_user ON workspace (account, region, directory_id, user_key, stand_in) WHERE user_key <> '';

-- The address that a desktop has until its rebuild has succeeded.
ALTER TABLE workspace ADD COLUMN held_offset BIGINT NOT NULL DEFAULT 0;

CREATE INDEX workspace_held_address ON workspace (subnet_id, held_offset) WHERE held_offset > 0;

-- What the engine keeps of a WorkSpace's volumes; a row comes before it and goes after it.
CREATE TABLE snapshot (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  name TEXT NOT NULL,
  taken_at BIGINT NOT NULL,
  root BOOLEAN NOT NULL,
  state TEXT NOT NULL,
  generation BIGINT NOT NULL,
  PRIMARY KEY (account, region, workspace_id, seq)
);
