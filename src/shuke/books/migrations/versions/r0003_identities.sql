-- How a member is known outside: phone, e-mail, card, ids of platforms. An identity is one member's, so its key has no
-- bucket: whoever asks knows only the value. In a distributed database this table stands on every machine.

create table identity (
    kind      text        not null,
    value     text        not null,  -- in its normal form
    bucket    smallint    not null,
    member_id text        not null,
    since     timestamptz not null,
    primary key (kind, value)
);
create index identity_of_member on identity (bucket, member_id);
