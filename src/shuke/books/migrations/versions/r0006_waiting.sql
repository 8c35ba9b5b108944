-- Refunds and the like that overtook their order on the way: they wait for it, and are no part of the books until it
-- has come. Few at any time. As with identities the key has no bucket: a source may choose a key once.

create table waiting (
    waiting_id  text        primary key,  -- ascends with time: what waits is settled in the order in which it came
    source      text        not null,
    key         text        not null,     -- of the activity it becomes
    bucket      smallint    not null,
    member_id   text        not null,
    order_id    text        not null,
    type        text        not null,     -- order.refunded, order.cancelled, order.completed
    occurred_at timestamptz not null,
    received_at timestamptz not null,
    request     bytea       not null,     -- digest of what told it, by which a repeat is known
    told        json        not null,     -- what it takes to make the activity once the order is known
    state       text        not null check (state in ('waiting', 'given_up')),  -- what is settled has no row any more
    code        text,                     -- why it was given up
    facts       json,
    reason      text,                     -- in words, where the code is none of the engine's
    ended_at    timestamptz,
    unique (source, key),
    constraint what_was_given_up_says_why check ((state = 'given_up') = (num_nulls(code, facts, ended_at) = 0))
);
-- What waits now: all of it is looked at again and again.
create index waiting_now on waiting (waiting_id) where state = 'waiting';
-- A member is erased, or asks what is known of her.
create index waiting_of_member on waiting (bucket, member_id);
