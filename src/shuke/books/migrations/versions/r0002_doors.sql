-- Doors: who may call, and what was answered to whom.

-- A request told again is recognised by its own digest: what the caller left out (the time, an id) is not the same twice.
alter table activity add column request bytea;  -- digest of the request that told it, where one did

create table api_key (
    key_id       text        primary key,
    name         text        not null,
    source       text        not null,  -- whose activities these are; stays when the key is rotated
    hint         text        not null,  -- the first characters of the secret, to know it by
    digest       bytea       not null unique,  -- SHA-256 of the secret; the secret itself is kept nowhere
    scopes       text[]      not null,
    per_minute   int         not null check (per_minute > 0),  -- requests
    created_at   timestamptz not null,
    expires_at   timestamptz,           -- null: not by itself
    revoked_at   timestamptz,
    last_used_at timestamptz            -- to the minute
);

-- Answers to requests that are no activities (their answers stand in `activity`), so that a repeat gets the first one.
create table request (
    source text        not null,
    key    text        not null,  -- Idempotency-Key
    digest bytea       not null,  -- of method, path and body
    status smallint    not null,
    answer json        not null,
    at     timestamptz not null,
    primary key (source, key)
);
create index request_by_age on request (at);

-- A version is published once and never changes; which one is in force follows from the dates.
alter table program_version
    drop column status,
    alter column effective_from set not null,
    alter column published_at set not null,
    add column restores int;  -- the older version whose document this is again

-- The program as it is being written: one at a time, right or wrong, as text.
create table program_draft (
    single     boolean     primary key default true check (single),
    text       text        not null,
    changed_at timestamptz not null,
    changed_by text        not null  -- the source of the key that wrote it last
);
