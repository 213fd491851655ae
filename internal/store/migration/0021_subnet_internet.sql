-- Who may leave a subnet for the Internet.
ALTER TABLE subnet ADD COLUMN internet TEXT NOT NULL DEFAULT 'always';
