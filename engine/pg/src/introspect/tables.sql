-- Tables, views, materialized views, foreign and partitioned tables, with what can be written to each: the bits are those of
-- pg_relation_is_updatable (4 update, 8 insert, 16 delete), rules and INSTEAD OF triggers included.
select
  c.oid,
  n.nspname::text,
  c.relname::text,
  c.relkind::text,
  d.description,
  c.relispartition,
  case when c.relkind in ('r', 'p') then 28 else pg_catalog.pg_relation_is_updatable(c.oid, true) end
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_description d
  on d.objoid = c.oid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid = 0
where c.relkind in ('r', 'v', 'm', 'f', 'p')
  and n.nspname not in ('pg_catalog', 'information_schema', 'hdb_catalog')
  and n.nspname !~ '^pg_(toast|temp)'
