-- The wording that a practice's staff are working on, sealed, and what the gate said of it: `gated` is
-- the digest of the wording that `report` is about.
CREATE TABLE prompt_draft (
  practice TEXT NOT NULL PRIMARY KEY,
  revision BIGINT NOT NULL,
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  gated TEXT NOT NULL,
  report TEXT NOT NULL,
  sealed BYTEA NOT NULL
);

-- The code that a portal link asks for beside the birth date: only its hash, and for how long.
ALTER TABLE portal_message ADD COLUMN code_hash BYTEA;
ALTER TABLE portal_message ADD COLUMN code_until BIGINT;
ALTER TABLE portal_message ADD COLUMN codes BIGINT NOT NULL DEFAULT 0;
CREATE INDEX portal_message_conversation ON portal_message (conversation);

-- Patients at a portal link: who gave the birth date, and who gave the second factor too (`whole`).
-- Only the hash of the cookie is kept.
CREATE TABLE portal_session (
  token_hash BYTEA NOT NULL PRIMARY KEY,
  link_hash BYTEA NOT NULL,
  practice TEXT NOT NULL,
  whole BIGINT NOT NULL CHECK (whole IN (0, 1)),
  began BIGINT NOT NULL,
  seen BIGINT NOT NULL
);
CREATE INDEX portal_session_seen ON portal_session (seen);

-- Who wrote a turn in the portal, sealed: several people may share the number of its conversation.
CREATE TABLE portal_reply (
  turn BIGINT NOT NULL PRIMARY KEY REFERENCES turn (id),
  conversation BIGINT NOT NULL REFERENCES conversation (id),
  practice TEXT NOT NULL,
  sealed BYTEA NOT NULL
);
CREATE INDEX portal_reply_conversation ON portal_reply (conversation, turn);

-- What staff tell each other beside a conversation. Numbered in the series of turns, so that a note
-- stands in its place among the texts.
CREATE TABLE note (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  conversation BIGINT NOT NULL REFERENCES conversation (id),
  at BIGINT NOT NULL,
  staff BIGINT NOT NULL REFERENCES staff (id),
  sealed BYTEA NOT NULL
);
CREATE INDEX note_conversation ON note (conversation, id);

-- Replies that a practice's staff keep ready, by their names.
CREATE TABLE canned (
  practice TEXT NOT NULL,
  name TEXT NOT NULL,
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (practice, name)
);

-- What the overview counts and what the consent ledger lists beside it.
CREATE INDEX conversation_consent ON conversation (practice, consent);
CREATE INDEX outbox_phi ON outbox (conversation, id) WHERE phi = 1;
