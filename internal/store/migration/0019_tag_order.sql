-- Tags are listed in the order in which they were given; those that are there already, by key.
ALTER TABLE tag ADD COLUMN position BIGINT NOT NULL DEFAULT 0;

UPDATE tag SET position = (
  SELECT COUNT(*) FROM tag AS earlier
  WHERE earlier.account = tag.account AND earlier.region = tag.region AND earlier.resource_id = tag.resource_id AND earlier.key <= tag.key
);
