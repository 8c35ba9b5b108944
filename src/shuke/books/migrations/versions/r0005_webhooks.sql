-- Who is told of what happens, and what became of each telling.

create table webhook_endpoint (
    endpoint_id   text        primary key,
    url           text        not null,
    description   text        not null default '',
    topics        text[]      not null,
    form          text        not null check (form in ('standard', 'cloudevents')),
    secrets       jsonb       not null,  -- [{secret, until}], the newest first
    status        text        not null check (status in ('enabled', 'disabled')),
    disabled_why  text,
    created_at    timestamptz not null,
    failing_since timestamptz
);

create table webhook_delivery (
    delivery_id text        primary key,
    endpoint_id text        not null references webhook_endpoint on delete cascade,
    event_id    text        not null,
    topic       text        not null,
    body        jsonb       not null,
    state       text        not null check (state in ('waiting', 'delivered', 'failed')),
    attempts    smallint    not null default 0,
    made_at     timestamptz not null,
    due_at      timestamptz,           -- null: nothing more will be tried
    answered    smallint,              -- HTTP status of the last attempt
    trouble     text,
    unique (endpoint_id, event_id)
);
create index webhook_due on webhook_delivery (due_at) where due_at is not null;
create index webhook_of_endpoint on webhook_delivery (endpoint_id, made_at desc);
