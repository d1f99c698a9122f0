-- Shared with a source's own catalog, which may have been here first.
create schema if not exists hdb_catalog;
create or replace function hdb_catalog.gen_hasura_uuid() returns uuid language sql as 'select gen_random_uuid()';
