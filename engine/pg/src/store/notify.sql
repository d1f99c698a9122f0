-- The one row that all other servers look at.
insert into hdb_catalog.hdb_schema_notifications (id, notification, resource_version, instance_id, updated_at)
values (1, $1::json, $2, $3, now())
on conflict (id) do update set
  notification = excluded.notification,
  resource_version = excluded.resource_version,
  instance_id = excluded.instance_id,
  updated_at = excluded.updated_at
