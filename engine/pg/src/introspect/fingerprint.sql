-- One text that changes whenever the catalog does. Sums of hashes do not depend on the order of rows and need no sort. Of
-- rows that change without a change of schema (pg_class: truncate, index builds) only what matters is hashed; of others the
-- transaction that wrote them. Objects with numbers below 16384 came with the server.
with relation as (
  select c.oid, c.relname, c.relnamespace, c.relkind, c.relispartition, c.relrowsecurity
  from pg_catalog.pg_class c
  where c.oid >= 16384 and c.relkind in ('r', 'v', 'm', 'f', 'p') and c.relpersistence <> 't'
)
select pg_catalog.md5(pg_catalog.concat_ws(' ',
  pg_catalog.current_setting('server_version_num'),
  (select pg_catalog.sum(pg_catalog.hashint8extended(
      n.oid::int8, pg_catalog.hashname(n.nspname)))
    from pg_catalog.pg_namespace n where n.nspname !~ '^pg_'),
  (select pg_catalog.sum(pg_catalog.hashint8extended(
      r.oid::int8 << 32 | r.relnamespace::int8,
      (pg_catalog.hashname(r.relname)::int8 << 10) + (pg_catalog.hashchar(r.relkind)::int8 << 2)
        + (r.relrowsecurity::int4 << 1) + r.relispartition::int4))
    from relation r),
  (select pg_catalog.sum(pg_catalog.hashint8extended(
      a.attrelid::int8 << 32 | a.atttypid::int8,
      (pg_catalog.hashname(a.attname)::int8 << 20) + (a.attnum::int8 << 6)
        + (a.attnotnull::int4 << 5) + (a.atthasdef::int4 << 4)
        + pg_catalog.strpos('_sad', a.attgenerated::text || a.attidentity::text)))
    from pg_catalog.pg_attribute a
    join relation r on r.oid = a.attrelid
    where a.attnum > 0 and not a.attisdropped),
  (select pg_catalog.sum(pg_catalog.hashint8extended(
      k.oid::int8 << 32 | k.conrelid::int8,
      pg_catalog.hashname(k.conname)::int8 # (k.confrelid::int8 << 32)
        # pg_catalog.hashtextextended(pg_catalog.concat(k.conkey, k.confkey, k.conexclop), 0)))
    from pg_catalog.pg_constraint k
    join relation r on r.oid = k.conrelid
    where k.contype in ('p', 'u', 'f', 'c', 'x')),
  (select pg_catalog.sum(pg_catalog.hashint8extended(k.oid::int8, k.contypid::int8))
    from pg_catalog.pg_constraint k where k.contypid <> 0 and k.oid >= 16384),
  (select pg_catalog.sum(pg_catalog.hashint8extended(a.oid::int8, a.adrelid::int8))
    from pg_catalog.pg_attrdef a where a.oid >= 16384),
  (select pg_catalog.sum(pg_catalog.hashint8extended(i.indexrelid::int8, i.indrelid::int8))
    from pg_catalog.pg_index i
    join relation r on r.oid = i.indrelid
    where i.indexprs is not null or i.indpred is not null or i.indclass[0] >= 16384
      or i.indnkeyatts > 1 and exists (select from pg_catalog.unnest(i.indclass) o (class) where o.class >= 16384)),
  (select pg_catalog.sum(pg_catalog.hashint8extended(m.oid::int8, pg_catalog.hashtextextended(m.xmin::text, 0)))
    from pg_catalog.pg_amop m where m.oid >= 16384),
  (select pg_catalog.sum(pg_catalog.hashint8extended(m.oid::int8, pg_catalog.hashtextextended(m.xmin::text, 0)))
    from pg_catalog.pg_amproc m where m.oid >= 16384),
  (select pg_catalog.sum(pg_catalog.hashint8extended(i.inhrelid::int8, i.inhparent::int8))
    from pg_catalog.pg_inherits i),
  (select pg_catalog.sum(pg_catalog.hashint8extended(
      t.oid::int8 << 32 | t.typnamespace::int8,
      (pg_catalog.hashname(t.typname)::int8 << 32) + t.typbasetype::int8
        # pg_catalog.hashtextextended(coalesce(t.typdefault, ''), 0)))
    from pg_catalog.pg_type t
    where t.oid >= 16384 and t.typtype <> 'c' and t.typcategory <> 'A'),
  (select pg_catalog.sum(pg_catalog.hashint8extended(
      e.oid::int8 << 32 | e.enumtypid::int8,
      pg_catalog.hashname(e.enumlabel)::int8 + (e.enumsortorder * 1024)::int8))
    from pg_catalog.pg_enum e),
  (select pg_catalog.sum(pg_catalog.hashint8extended(
      p.oid::int8, pg_catalog.hashtextextended(p.xmin::text, 0)))
    from pg_catalog.pg_proc p where p.oid >= 16384),
  (select pg_catalog.sum(pg_catalog.hashint8extended(
      w.ev_class::int8, pg_catalog.hashtextextended(w.xmin::text, 0)))
    from pg_catalog.pg_rewrite w where w.oid >= 16384),
  (select pg_catalog.sum(pg_catalog.hashint8extended(
      t.oid::int8, t.tgrelid::int8 + (t.tgtype::int8 << 32)))
    from pg_catalog.pg_trigger t where not t.tgisinternal),
  (select pg_catalog.sum(pg_catalog.hashtextextended(
      d.description, d.objoid::int8 << 16 | d.objsubid::int8))
    from pg_catalog.pg_description d
    where d.objoid >= 16384
      and d.classoid in ('pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass)),
  (select pg_catalog.sum(pg_catalog.hashint8extended(
      e.oid::int8, pg_catalog.hashtextextended(pg_catalog.concat_ws(' ', e.extname, e.extversion, e.extnamespace), 0)))
    from pg_catalog.pg_extension e)
))
