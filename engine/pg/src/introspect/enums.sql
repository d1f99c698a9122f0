-- Labels of enum types, in order.
select e.enumtypid, pg_catalog.array_agg(e.enumlabel::text order by e.enumsortorder)
from pg_catalog.pg_enum e
group by e.enumtypid
