-- The server's version and the installed extensions.
select
  pg_catalog.current_setting('server_version_num')::int4,
  e.extname::text,
  n.nspname::text,
  e.extversion
from (select 1) one
left join pg_catalog.pg_extension e on true
left join pg_catalog.pg_namespace n on n.oid = e.extnamespace
order by e.extname
