-- What a member's rotating codes are made of. As with identities the key has no bucket: a till knows only the number.

create table member_code (
    serial    bigint      primary key,   -- nine digits drawn by lot: it tells neither who nor how many there are
    bucket    smallint    not null,
    member_id text        not null,
    secret    bytea       not null,      -- the codes' secret (RFC 6238); nobody is shown it
    made_at   timestamptz not null,
    failures  smallint    not null default 0,
    failed_at timestamptz,               -- the latest wrong code
    unique (bucket, member_id)
);

-- Each code is good once. A row goes when its code would be refused anyway.
create table member_code_use (
    step   bigint not null,  -- the half minute it was shown in, counted from 1970
    serial bigint not null,
    primary key (step, serial)
);
