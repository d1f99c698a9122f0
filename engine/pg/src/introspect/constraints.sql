-- Primary keys, unique constraints and foreign keys. A foreign key to a partitioned table has a copy for each partition on
-- the same table; those are left out.
select
  k.conrelid,
  k.conname::text,
  k.contype::text,
  k.conkey,
  k.confrelid,
  k.confkey
from pg_catalog.pg_constraint k
join pg_catalog.pg_namespace n on n.oid = k.connamespace
left join pg_catalog.pg_constraint parent on parent.oid = k.conparentid and parent.conrelid = k.conrelid
where k.contype in ('p', 'u', 'f')
  and k.conrelid <> 0
  and parent.oid is null
  and n.nspname not in ('pg_catalog', 'information_schema', 'hdb_catalog')
  and n.nspname !~ '^pg_(toast|temp)'
order by k.conrelid, k.conname
