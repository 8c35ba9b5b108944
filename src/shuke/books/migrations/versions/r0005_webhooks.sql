-- Who is told of what happens, and what became of each telling.

create table webhook_endpoint (
    endpoint_id   text        primary key,
    url           text        not null,
    description   text        not null default '',
    topics        text[]      not null,  -- topics, families ("order.*") or "*"
    form          text        not null check (form in ('standard', 'cloudevents')),
    secrets       jsonb       not null,  -- [{secret, until}], the newest first; until: microseconds, null for ever
    status        text        not null check (status in ('enabled', 'disabled')),
    disabled_why  text        check (disabled_why in ('by_hand', 'gone', 'failing')),
    created_at    timestamptz not null,
    failing_since timestamptz,           -- the first failure after the last success
    constraint a_disabled_endpoint_says_why check ((status = 'disabled') = (disabled_why is not null))
);

-- One event for one endpoint. Nothing is delivered here without being written down first: whoever sends takes a row
-- by moving due_at ahead, and if nobody comes back with an answer the row is due again.
create table webhook_delivery (
    delivery_id text        primary key,  -- ascends with time: pages of a list are cut by it
    endpoint_id text        not null references webhook_endpoint on delete cascade,
    event_id    text        not null,     -- what receivers know a repeat by
    topic       text        not null,
    body        jsonb       not null,     -- {id, type, timestamp, subject, data}, whatever the endpoint's form
    state       text        not null check (state in ('waiting', 'delivered', 'failed')),
    attempts    smallint    not null default 0,
    made_at     timestamptz not null,
    due_at      timestamptz,              -- of the next attempt; null: nothing more will be tried
    tried_at    timestamptz,              -- the last attempt
    took_ms     int,                      -- what it took
    answered    smallint,                 -- HTTP status it got
    trouble     text,                     -- what went wrong with it
    unique (endpoint_id, event_id),
    constraint what_waits_is_due check ((state = 'waiting') = (due_at is not null))
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000);
-- The next ones of an endpoint.
create index webhook_due on webhook_delivery (endpoint_id, due_at) where due_at is not null;
-- Its list, the newest first.
create index webhook_of_endpoint on webhook_delivery (endpoint_id, delivery_id);
-- What is old enough to be forgotten.
create index webhook_by_age on webhook_delivery (made_at) where due_at is null;

-- Events wait among messages that others drain: they are found without walking past those.
create index outbox_event on outbox (due_at, id) where kind = 'event';
