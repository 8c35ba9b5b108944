-- What the shop sells, and where. Nothing here is ever deleted, because old orders name it: it is archived.

-- One row. Every edit raises the revision; whoever settles reads it together with the members, so that what a process
-- remembers of the catalog is right from the moment an edit is durable.
create table catalog (
    one      boolean primary key default true check (one),
    revision bigint  not null
);
insert into catalog (revision) values (0);

create table catalog_item (
    kind        text        not null check (kind in ('sku', 'product', 'category', 'brand')),
    id          text        not null,  -- as orders name it
    revision    bigint      not null,  -- of the catalog, when this item last changed
    archived_at timestamptz,
    body        jsonb       not null,  -- what is known of it; what is not known is left out
    primary key (kind, id)
);
-- What a process has to forget after an edit.
create index catalog_item_changed on catalog_item (revision);
-- The SKUs of a product, a category, a brand.
create index catalog_sku_told on catalog_item using gin (body jsonb_path_ops) where kind = 'sku';
