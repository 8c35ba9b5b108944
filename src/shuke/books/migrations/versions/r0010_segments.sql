-- Segments: saved conditions (dynamic) or lists (static), and who is in them.

create table segment (
    segment_id   text        primary key,  -- chosen by the merchant, as conditions name it
    title        text        not null,
    kind         text        not null check (kind in ('dynamic', 'static')),
    condition    text,                     -- as people write it
    refresh      text        check (refresh in ('live', 'hourly', 'daily')),
    made_at      timestamptz not null,
    changed_at   timestamptz not null,
    members      bigint      not null default 0,  -- when it was last looked at as a whole
    refreshed_at timestamptz,
    due_at       timestamptz,              -- when it is looked at next; null: never by itself
    constraint a_dynamic_segment_has_a_condition
        check ((kind = 'dynamic') = (num_nulls(condition, refresh) = 0))
);

create table segment_member (
    segment   text        not null,
    bucket    smallint    not null,
    member_id text        not null,
    inside    boolean     not null,
    since     timestamptz not null,  -- when she came in, or went out
    changes   int         not null,  -- how often she did either: the key of the activity that says so
    told      boolean     not null,  -- whether that activity is settled; until then nothing changes again
    primary key (segment, bucket, member_id)
) with (fillfactor = 90);
-- What is still to be told. Few at any time.
create index segment_member_untold on segment_member (segment, bucket, member_id) where not told;
-- A member is erased, or asks what is known of her.
create index segment_member_of_member on segment_member (bucket, member_id);

create table segment_size (
    segment text        not null,
    at      timestamptz not null,
    members bigint      not null,
    entered bigint      not null,  -- since the row before
    gone    bigint      not null,
    primary key (segment, at)
);

-- How far live segments have heard what happened: all activities up to this number.
create table segment_heard (
    activity_id bigint not null
);
