-- Coupon codes made ahead, printed or sent, that nobody holds yet.

create table code_batch (
    batch_id text        primary key,
    template text        not null,
    size     int         not null check (size > 0),
    made_at  timestamptz not null,
    note     text        not null default ''
);

create table code (
    code      text     primary key,
    batch_id  text     not null references code_batch,
    state     text     not null check (state in ('free', 'taken', 'void')),
    bucket    smallint,
    member_id text,     -- who took it
    coupon_id text      -- what it became in her hands
);
create index code_of_batch on code (batch_id, state);
