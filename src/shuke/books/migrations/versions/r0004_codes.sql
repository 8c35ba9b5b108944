-- Coupon codes made ahead: printed or sent out, until somebody comes with one.

create table code_batch (
    batch     int         generated always as identity primary key,
    template  text        not null,
    prefix    text        not null,
    letters   smallint    not null,  -- drawn at random, behind the prefix
    size      int         not null check (size > 0),
    made_at   timestamptz not null,
    voided_at timestamptz,           -- since then, what nobody had taken opens nothing
    note      text        not null
);

-- A code is free until somebody takes it, and taken for ever.
create table code (
    code      text     collate "C" primary key,
    batch     int      not null,
    no        int      not null,  -- within the batch, ascending
    bucket    smallint,
    member_id text,               -- who took it
    coupon_id text,               -- what it became in her hands
    constraint a_code_taken_says_by_whom
        check (num_nulls(bucket, member_id, coupon_id) in (0, 3))
);
-- A batch is read in the order in which it was made.
create unique index code_of_batch on code (batch, no);
-- How many of a batch are taken?
create index code_taken on code (batch) where member_id is not null;
