-- What the ids of a pool's desktops follow from: a seed, in hexadecimal digits, and each one's number. Pools and
-- desktops from before have neither.
ALTER TABLE pool ADD COLUMN seed TEXT NOT NULL DEFAULT '';

ALTER TABLE pool ADD COLUMN numbered BIGINT NOT NULL DEFAULT 0;

ALTER TABLE pool_desktop ADD COLUMN number BIGINT NOT NULL DEFAULT 0;
