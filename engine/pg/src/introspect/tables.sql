-- Tables, views, materialized views, foreign and partitioned tables, with what can be written to each: the bits are those of
-- pg_relation_is_updatable (4 update, 8 insert, 16 delete), rules and INSTEAD OF triggers included. The last column is whether a
-- row that is inserted arrives as it is, with nothing run for it that could look at other rows. Functions in C cannot be told
-- apart, but those of extensions that make keys or test formats look at none.
with recursive calling as (
  select x.classid, x.objid
  from pg_catalog.pg_depend x
  left join pg_catalog.pg_proc p on x.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass and p.oid = x.refobjid
  left join pg_catalog.pg_language l on l.oid = p.prolang
  where x.classid in ('pg_catalog.pg_attrdef'::pg_catalog.regclass, 'pg_catalog.pg_constraint'::pg_catalog.regclass,
      'pg_catalog.pg_type'::pg_catalog.regclass, 'pg_catalog.pg_class'::pg_catalog.regclass)
    and x.refclassid in ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass)
    and (l.lanname is null or l.lanname not in ('internal', 'c'))
),
-- Operator classes of one's own that compare by such functions, each with the type that it is for.
comparing as materialized (
  select c.oid as class, c.opcintype as type, c.opcdefault as is_default
  from pg_catalog.pg_opclass c
  where c.oid >= 16384 and (
    exists (
      select from pg_catalog.pg_amproc m
      join pg_catalog.pg_proc p on p.oid = m.amproc
      join pg_catalog.pg_language l on l.oid = p.prolang
      where m.amprocfamily = c.opcfamily and l.lanname not in ('internal', 'c'))
    or exists (
      select from pg_catalog.pg_amop m
      join pg_catalog.pg_operator r on r.oid = m.amopopr
      join pg_catalog.pg_proc p on p.oid = r.oprcode
      join pg_catalog.pg_language l on l.oid = p.prolang
      where m.amopfamily = c.opcfamily and l.lanname not in ('internal', 'c')))
),
used (type) as materialized (
  select distinct a.atttypid
  from pg_catalog.pg_attribute a
  where a.attnum > 0 and not a.attisdropped and a.attrelid >= 16384
),
-- Types of columns, each with all that it is made of: arrays and domains.
made_of (whole, part) as (
  select used.type, used.type from used
  union
  select m.whole, case when t.typtype = 'd' then t.typbasetype else t.typelem end
  from made_of m
  join pg_catalog.pg_type t on t.oid = m.part
  where t.typtype = 'd' or t.typelem <> 0
),
-- Those whose values are looked into, or compared, by such functions. No ranges but Postgres's own are plain, and no rows.
computed (type) as materialized (
  select m.whole
  from made_of m
  join pg_catalog.pg_type t on t.oid = m.part
  where t.typtype = 'c' or t.typtype in ('r', 'm') and t.oid >= 16384
    or t.typtype = 'd' and exists (
      select from pg_catalog.pg_constraint k
      join calling x on x.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and x.objid = k.oid
      where k.contypid = t.oid)
    or t.typtype = 'd' and exists (
      select from calling x
      where x.classid = 'pg_catalog.pg_type'::pg_catalog.regclass and x.objid = t.oid)
    or exists (select from comparing c where c.is_default and c.type = t.oid)
),
computing (relation) as materialized (
  select a.adrelid
  from pg_catalog.pg_attrdef a
  join calling x on x.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and x.objid = a.oid
  union
  select k.conrelid
  from pg_catalog.pg_constraint k
  join calling x on x.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and x.objid = k.oid
  where k.contype = 'c' and k.conrelid <> 0
  union
  -- What an index computes of a row, and for which rows.
  select i.indrelid
  from pg_catalog.pg_index i
  join calling x on x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and x.objid = i.indexrelid
  union
  -- How an index compares what it holds.
  select i.indrelid
  from pg_catalog.pg_index i
  cross join lateral pg_catalog.unnest(i.indclass) o (class)
  join comparing on comparing.class = o.class
  union
  -- What rows may not have in common is compared by an operator of anybody's.
  select k.conrelid
  from pg_catalog.pg_constraint k
  cross join lateral pg_catalog.unnest(k.conexclop) e (operator)
  where k.contype = 'x' and e.operator >= 16384
  union
  select a.attrelid
  from pg_catalog.pg_attribute a
  join computed on computed.type = a.atttypid
  where a.attnum > 0 and not a.attisdropped and a.attrelid >= 16384
)
select
  c.oid,
  n.nspname::text,
  c.relname::text,
  c.relkind::text,
  d.description,
  c.relispartition,
  case when c.relkind in ('r', 'p') then 28 else pg_catalog.pg_relation_is_updatable(c.oid, true) end,
  c.relkind = 'r' and not c.relispartition and not c.relhassubclass and not c.relhasrules and not c.relrowsecurity
    and not exists (select from pg_catalog.pg_inherits i where i.inhrelid = c.oid)
    and not exists (select from pg_catalog.pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal)
    and not exists (select from computing where computing.relation = c.oid)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_description d
  on d.objoid = c.oid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid = 0
where c.relkind in ('r', 'v', 'm', 'f', 'p')
  and n.nspname not in ('pg_catalog', 'information_schema', 'hdb_catalog')
  and n.nspname !~ '^pg_(toast|temp)'
