-- Versions of the prompts and of the policy that were published, with the digest of the report that
-- let them pass. Versions are never erased.
CREATE TABLE publication (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  kind TEXT NOT NULL,
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  digest TEXT NOT NULL,
  report TEXT NOT NULL,
  standing TEXT NOT NULL,
  share BIGINT NOT NULL,
  sealed BYTEA NOT NULL
);
CREATE INDEX publication_practice ON publication (practice, kind, id);
CREATE INDEX publication_standing ON publication (standing) WHERE standing IN ('live', 'trial');

-- Verdicts over drafts while a version is on trial, on its own side and on the other.
CREATE TABLE trial (
  publication BIGINT NOT NULL REFERENCES publication (id),
  side TEXT NOT NULL,
  verdict TEXT NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (publication, side, verdict)
);
