-- The books of one tenant. Run with search_path set to the tenant's schema.
--
-- Every key of a table about members holds the bucket: all of a member lies in one bucket, and a bucket is what a
-- distributed database places on a machine. What is only ever added to (activities and all that follows from them)
-- is keyed by a number that ascends, so that a batch of any members writes to the end of each index instead of to
-- one page per member; `activity` is the way from a member to her rows. There are no foreign keys between these tables:
-- one writer (settling) fills them in one transaction, and `shuke verify` proves that they agree.
-- Every index is paid for on each settled order; each one here has the query that needs it beside it.
--
-- Amounts are integers in minor units of their asset. Instants are timestamptz with microseconds.
-- A null due_at, expires_at or valid_until means: never.

create table program_version (
    version        int         primary key,
    program_id     text        not null,
    document       jsonb       not null,  -- the validated document, as the engine compiles it
    text           text        not null,  -- as the merchant wrote it
    digest         bytea       not null,  -- SHA-256 of the document's canonical form
    status         text        not null check (status in ('draft', 'published', 'archived')),
    effective_from timestamptz,
    published_at   timestamptz,
    note           text        not null default '',
    constraint a_published_version_has_its_dates
        check (status = 'draft' or (effective_from is not null and published_at is not null))
);

create table member (
    bucket    smallint    not null,
    member_id text        not null,
    status    text        not null,
    joined_at timestamptz not null,
    due_at    timestamptz,           -- when something next happens to the member by itself
    tiers     jsonb       not null,  -- ladder -> tier in force
    balances  jsonb       not null,  -- asset -> available, minor units
    traits    jsonb       not null,
    tags      text[]      not null,
    seq       bigint      not null,  -- how many activities have been settled; 0 = none
    state     bytea       not null,  -- the engine's own form of the member; all columns beside it derive from it
    primary key (bucket, member_id)
) with (
    -- Room for the next version of a row on the same page: such an update touches no index.
    fillfactor = 80,
    -- Rows up to half a page stay in one piece. Moving the state out of line at 2 kB would cost every update
    -- two more writes.
    toast_tuple_target = 4080,
    autovacuum_vacuum_scale_factor = 0.05
);
-- The clock: members whose time has come.
create index member_due on member (due_at) where due_at is not null;

-- Numbers of activities. They are taken behind the member's lock: of one member, the later activity has the higher.
create sequence activity_id;

create table activity (
    id          bigint      not null,  -- from activity_id; with gaps
    bucket      smallint    not null,
    member_id   text        not null,
    seq         bigint      not null,  -- order of settling within the member, from 1, without gaps
    source      text        not null,
    key         text        not null,  -- chosen by the source; the same key twice is the same activity
    type        text        not null,
    occurred_at timestamptz not null,  -- told by the source
    recorded_at timestamptz not null,  -- when we settled it
    version     int         not null,  -- the newest when it was settled; with occurred_at: which was in force
    digest      bytea       not null,  -- of the body: tells a repeat from another activity with the same key
    body        json        not null,  -- as told; json keeps the text as it came
    answer      json        not null,  -- as given; a repeat gets the same
    context     json,                  -- what the step was told beyond the member, where shared quotas came in
    primary key (id, bucket)
);
-- Everything about a member: her activities, and through their ids the rows of `entry`, `lot` and `tier_change`.
-- This is the one index in which every order still falls on a page of its own.
create unique index activity_of_member on activity (bucket, member_id, seq);
-- Exactly once.
create unique index activity_key on activity (source, key);

create table entry (
    activity_id bigint      not null,  -- what caused it
    no          smallint    not null,  -- within the activity, from 0
    bucket      smallint    not null,
    member_id   text        not null,
    asset       text        not null,
    kind        text        not null,
    debit       text        not null,  -- account that gives
    credit      text        not null,  -- account that receives
    amount      bigint      not null check (amount > 0),
    lot         int,
    rule        text,
    order_id    text,
    version     int         not null,  -- of the program that decided it
    occurred_at timestamptz not null,
    why         jsonb,                 -- the numbers that went in
    primary key (activity_id, no, bucket),
    constraint an_entry_moves_between_two_accounts check (debit <> credit)
);

create table lot (
    activity_id bigint      not null,  -- what opened it
    bucket      smallint    not null,
    member_id   text        not null,
    asset       text        not null,
    lot         int         not null,  -- number within the member's lots of this asset
    opened_at   timestamptz not null,
    ripens_at   timestamptz,
    expires_at  timestamptz,
    primary key (activity_id, asset, lot, bucket)
);

create table orders (
    bucket     smallint    not null,
    member_id  text        not null,
    order_id   text        not null,
    placed_at  timestamptz not null,
    status     text        not null,
    amount     bigint      not null,
    channel    text,
    store      text,
    settlement bytea       not null,  -- what the order earned and what paid for it; the engine's own form
    -- Shops number their orders upwards. Asked for with the member's id: two members may use the same number.
    primary key (order_id, bucket, member_id)
);

create table coupon (
    bucket      smallint    not null,
    member_id   text        not null,
    coupon_id   text        not null,
    template    text        not null,
    code        text,
    state       text        not null,
    issued_at   timestamptz not null,
    valid_from  timestamptz not null,
    valid_until timestamptz,
    order_id    text,                 -- where it was used
    primary key (bucket, member_id, coupon_id)
) with (fillfactor = 90);
-- A clerk scans a code: whose is it?
create unique index coupon_code on coupon (code) where code is not null;

create table tier_change (
    activity_id bigint      not null,  -- what caused it
    no          smallint    not null,
    bucket      smallint    not null,
    member_id   text        not null,
    ladder      text        not null,
    from_tier   text,                  -- null: had none
    to_tier     text,                  -- null: has none now
    at          timestamptz not null,
    until       timestamptz,           -- null: for ever
    reason      text        not null,
    primary key (activity_id, no, bucket)
);

-- What must leave the house, or reach another member, because a transaction said so. A row is inserted with its
-- cause and deleted when it is done, so the table holds only what is still to do:
--
--     delete from outbox where (due_at, id) in (
--         select due_at, id from outbox where due_at <= $1 and kind = $2
--         order by due_at, id limit $3 for update skip locked
--     ) returning *
--
-- Work that cannot end inside one transaction (a call over the network) first moves due_at ahead by its time limit
-- and counts the attempt, and deletes the row when it has its answer.
create table outbox (
    id        bigint      generated always as identity,
    due_at    timestamptz not null,
    bucket    smallint    not null,
    member_id text        not null,
    seq       bigint      not null,  -- of the activity that caused it
    kind      text        not null,  -- who drains it: 'activity' goes to settling
    topic     text        not null,
    body      jsonb       not null,
    attempts  smallint    not null default 0,
    trouble   text,                  -- why the last attempt failed
    -- One index, and new rows land at its right end. The bucket is in it for the sake of distribution.
    primary key (due_at, id, bucket)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000);

-- What members share and can run out of: uses of a coupon template, the budget of a rule, stock of a reward.
create table quota (
    quota  text   not null,
    period text   not null,  -- '' where the quota has no periods
    used   bigint not null check (used >= 0),
    cap    bigint,           -- null: the cap is the program's, given with each claim
    primary key (quota, period),
    constraint a_quota_is_never_overdrawn check (used <= cap)
) with (fillfactor = 50);
