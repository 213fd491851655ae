-- When the maintenance of a WorkSpace is to be looked at, and when it was last maintained. What was made before is
-- looked at once, which finds its next slot.
ALTER TABLE workspace ADD COLUMN maintenance_at BIGINT NOT NULL DEFAULT 0;

ALTER TABLE workspace ADD COLUMN maintained_at BIGINT NOT NULL DEFAULT 0;

-- 1 while it is being maintained.
ALTER TABLE workspace ADD COLUMN maintaining BIGINT NOT NULL DEFAULT 0;

UPDATE workspace SET maintenance_at = 1;

CREATE INDEX workspace_maintenance ON workspace (maintenance_at) WHERE maintenance_at > 0;

CREATE INDEX workspace_maintaining ON workspace (maintaining) WHERE maintaining > 0;
