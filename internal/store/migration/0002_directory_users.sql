-- The last part of the next user's SID. It is never given twice, so it is not counted from the users.
ALTER TABLE directory ADD COLUMN next_rid BIGINT NOT NULL DEFAULT 1103;

-- What was answered to a request that carried a client token, until it may be forgotten.
CREATE TABLE client_token (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  directory_id TEXT NOT NULL,
  token TEXT NOT NULL,
  request TEXT NOT NULL,
  answer TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (account, region, directory_id, token)
);

CREATE INDEX client_token_expiry ON client_token (expires_at);
