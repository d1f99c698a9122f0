-- Functions, one row per overload. Modes and all argument types are null where every argument is an input.
select
  p.oid,
  n.nspname::text,
  p.proname::text,
  p.prokind::text,
  p.provolatile::text,
  p.proretset,
  p.prorettype,
  p.provariadic <> 0,
  p.pronargdefaults::int4,
  p.proargtypes::oid[],
  p.proallargtypes,
  p.proargmodes::text[],
  p.proargnames,
  d.description
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
left join pg_catalog.pg_description d
  on d.objoid = p.oid and d.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objsubid = 0
where n.nspname not in ('pg_catalog', 'information_schema', 'hdb_catalog')
  and n.nspname !~ '^pg_(toast|temp)'
order by n.nspname, p.proname, p.oid
