-- What the overview counts, without the sealed words beside it: the rows of a text are long, and a count
-- over the newest thousands would read them all.
CREATE INDEX turn_figures ON turn (practice, id, conversation, direction, at);
CREATE INDEX outbox_figures ON outbox (practice, id, at, delivery);
