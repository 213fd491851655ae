-- When an AUTO_STOP WorkSpace to which nobody has been connected is to be looked at; 0 for never.
ALTER TABLE workspace ADD COLUMN auto_stop_at BIGINT NOT NULL DEFAULT 0;

UPDATE workspace SET auto_stop_at = 1 WHERE state = 'AVAILABLE';

CREATE INDEX workspace_auto_stop ON workspace (auto_stop_at) WHERE auto_stop_at > 0;

-- The streams between browsers and desktops that processes carry now. Why is why another
-- process wants one to end, '' while nobody does.
CREATE TABLE stream (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  id TEXT NOT NULL,
  process TEXT NOT NULL,
  opened_at BIGINT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (account, region, workspace_id, id)
);

CREATE INDEX stream_of_process ON stream (process);

-- The processes that carry streams: one whose beat stands still has died.
CREATE TABLE stream_process (
  process TEXT PRIMARY KEY,
  beat BIGINT NOT NULL,
  seen_at BIGINT NOT NULL
);

-- What is known of users' connections to WorkSpaces that have had any.
CREATE TABLE connection (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  connected_at BIGINT NOT NULL,
  disconnected_at BIGINT NOT NULL,
  PRIMARY KEY (account, region, workspace_id)
);
