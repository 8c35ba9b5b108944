-- Some identities are shared: a device, a browser. One that is one member's alone is still kept so by an index. And
-- whether she has shown that it is hers.

alter table identity add column shared boolean not null default false;
alter table identity add column verified_at timestamptz;
alter table identity drop constraint identity_pkey;
alter table identity add primary key (kind, value, member_id);
create unique index identity_of_one on identity (kind, value) where not shared;
