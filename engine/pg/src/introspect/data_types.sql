-- All types that columns and functions can have; row types of tables name their table.
select
  t.oid,
  n.nspname::text,
  t.typname::text,
  t.typtype::text,
  t.typbasetype,
  case when t.typlen = -1 and t.typcategory = 'A' then t.typelem else 0::oid end,
  case when c.relkind in ('r', 'v', 'm', 'f', 'p') then tn.nspname::text end,
  case when c.relkind in ('r', 'v', 'm', 'f', 'p') then c.relname::text end
from pg_catalog.pg_type t
join pg_catalog.pg_namespace n on n.oid = t.typnamespace
left join pg_catalog.pg_class c on c.oid = t.typrelid
left join pg_catalog.pg_namespace tn on tn.oid = c.relnamespace
where n.nspname !~ '^pg_(toast|temp)'
  and n.nspname <> 'hdb_catalog'
  -- Columns can be of its domains (sql_identifier and the like), hardly of the row types of its views.
  and (n.nspname <> 'information_schema' or t.typtype = 'd')
  and not (n.nspname = 'pg_catalog' and t.typtype = 'c')
