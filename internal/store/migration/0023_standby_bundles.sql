-- Bundles of the type STANDBY mirror one of another region of their account, whose image they have. Empty: a REGULAR one.
ALTER TABLE bundle ADD COLUMN source_region TEXT NOT NULL DEFAULT '';

ALTER TABLE bundle ADD COLUMN source_id TEXT NOT NULL DEFAULT '';

CREATE INDEX bundle_mirror ON bundle (account, source_region, source_id);

-- They have the name of what they mirror, and take it from no other.
DROP INDEX bundle_name;

CREATE UNIQUE INDEX bundle_name ON bundle (account, region, name) WHERE source_id = '';
