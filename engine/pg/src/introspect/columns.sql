-- Columns of the same relations, in attribute order.
select
  a.attrelid,
  a.attname::text,
  a.attnum,
  a.atttypid,
  a.attnotnull,
  a.atthasdef and a.attgenerated = '',
  case when a.attgenerated = 's' then 's' when a.attidentity in ('a', 'd') then a.attidentity::text else '' end,
  d.description
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_description d
  on d.objoid = a.attrelid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid = a.attnum
where c.relkind in ('r', 'v', 'm', 'f', 'p')
  and n.nspname not in ('pg_catalog', 'information_schema', 'hdb_catalog')
  and n.nspname !~ '^pg_(toast|temp)'
  and a.attnum > 0
  and not a.attisdropped
order by a.attrelid, a.attnum
