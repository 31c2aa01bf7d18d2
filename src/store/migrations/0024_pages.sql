-- Which stretches of a practice's audit chain name a rule: `block` is the sequence number divided by 64. It
-- only says where to look, and is made from the chain, which it never changes. `audit_ruled` says up to
-- which sequence number that is done.
CREATE TABLE audit_rule (
  practice TEXT NOT NULL,
  rule TEXT NOT NULL,
  block BIGINT NOT NULL,
  PRIMARY KEY (practice, rule, block)
);
CREATE TABLE audit_ruled (
  practice TEXT NOT NULL PRIMARY KEY,
  upto BIGINT NOT NULL
);

-- What the overview counts of the log, without the long entries beside it.
CREATE INDEX audit_entry_answered ON audit_entry (practice, id, at, actor, action)
  WHERE action = 'message.cleared' AND actor <> 'anteroom';
CREATE INDEX audit_entry_held ON audit_entry (practice, id, at)
  WHERE detail LIKE '%"held":"%';
CREATE INDEX hold_figures ON hold (practice, at, reason, settled, wrong);
