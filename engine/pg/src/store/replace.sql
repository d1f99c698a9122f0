-- Only if nobody was faster.
update hdb_catalog.hdb_metadata set metadata = $1::json, resource_version = resource_version + 1
where id = 1 and resource_version = $2
returning resource_version
