//! The metadata database.

use pg::store::{CatalogState, Error, Store};
use pg::{PoolSettings, Target};
use uuid::Uuid;

use crate::world::World;

fn store(world: &World) -> Store {
    let settings = PoolSettings {
        max_connections: 4,
        ..PoolSettings::default()
    };
    Store::connect(&Target::parse(&world.url).unwrap(), &settings, "public").unwrap()
}

#[tokio::test]
async fn created_once_also_by_several_at_a_time() {
    let world = World::new("pg_store_create");
    let (one, two) = (store(&world), store(&world));
    let (first, second) = tokio::join!(one.prepare(), two.prepare());
    first.unwrap();
    second.unwrap();
    one.prepare().await.unwrap();
    assert_eq!(one.database_id().await.unwrap(), two.database_id().await.unwrap());
    assert_eq!(
        world.value("select version from hdb_catalog.hdb_version").await,
        "48"
    );
    let tables = "select string_agg(relname, ' ' order by relname) from pg_class \
                  where relnamespace = 'hdb_catalog'::regnamespace and relkind = 'r'";
    assert_eq!(
        world.value(tables).await,
        "hdb_action_log hdb_cron_event_invocation_logs hdb_cron_events hdb_metadata hdb_scheduled_event_invocation_logs \
         hdb_scheduled_events hdb_schema_notifications hdb_version"
    );
}

#[tokio::test]
async fn other_versions_are_refused_by_name() {
    let world = World::new("pg_store_version");
    let store = store(&world);
    store.prepare().await.unwrap();
    world
        .sql("update hdb_catalog.hdb_version set version = '49'")
        .await;
    let error = store.prepare().await.unwrap_err();
    assert!(matches!(error, Error::Newer { .. }));
    assert!(error.to_string().contains("49") && error.to_string().contains("48"));
    world
        .sql("update hdb_catalog.hdb_version set version = '47'")
        .await;
    assert!(matches!(store.prepare().await, Err(Error::Older { .. })));
}

#[tokio::test]
async fn a_change_needs_the_current_version() {
    let world = World::new("pg_store_conflict");
    let store = store(&world);
    store.prepare().await.unwrap();
    let (me, other) = (Uuid::new_v4(), Uuid::new_v4());
    assert_eq!(
        (
            store.metadata().await.unwrap().metadata,
            store.resource_version().await.unwrap()
        ),
        (None, 0)
    );

    let document = "{\"version\":3,  \"sources\":[]}";
    assert_eq!(
        store
            .replace(document, 0, "{\"metadata\":true}", me)
            .await
            .unwrap(),
        1
    );
    let stored = store.metadata().await.unwrap();
    assert_eq!(
        (stored.metadata.as_deref(), stored.resource_version),
        (Some(document), 1)
    );
    assert_eq!(store.replace("{}", 1, "{}", me).await.unwrap(), 2);

    for referenced in [0, 1, 3, i64::MAX] {
        match store.replace("{}", referenced, "{}", me).await {
            Err(Error::Conflict {
                referenced: told,
                current: 2,
            }) => assert_eq!(told, referenced),
            result => panic!("{result:?}"),
        }
    }
    let message = store.replace("{}", 1, "{}", me).await.unwrap_err().to_string();
    assert_eq!(
        message,
        "metadata resource version referenced (1) did not match current version"
    );

    // Of several at a time one wins.
    let (a, b) = tokio::join!(
        store.replace("{\"a\":1}", 2, "{}", me),
        store.replace("{\"b\":1}", 2, "{}", other)
    );
    assert!(a.is_ok() != b.is_ok());
    assert_eq!(store.resource_version().await.unwrap(), 3);
}

#[tokio::test]
async fn other_servers_are_told() {
    let world = World::new("pg_store_notify");
    let store = store(&world);
    store.prepare().await.unwrap();
    let (me, other) = (Uuid::new_v4(), Uuid::new_v4());
    store.replace("{}", 0, "{\"metadata\":true}", me).await.unwrap();
    assert_eq!(store.notification_after(0, me).await.unwrap(), None);
    let told = store.notification_after(0, other).await.unwrap().unwrap();
    assert_eq!(
        (
            told.notification.as_str(),
            told.resource_version,
            told.instance_id
        ),
        ("{\"metadata\":true}", 1, me)
    );
    assert_eq!(store.notification_after(1, other).await.unwrap(), None);
    let touched = store.touch(1, "{\"sources\":[\"default\"]}", other).await;
    assert_eq!(touched.unwrap(), 2);
    let late = store.touch(1, "{}", other).await.unwrap_err();
    assert!(
        matches!(
            late,
            Error::Conflict {
                referenced: 1,
                current: 2
            }
        ),
        "{late}"
    );
    assert_eq!(
        store
            .notification_after(1, me)
            .await
            .unwrap()
            .unwrap()
            .resource_version,
        2
    );
}

#[tokio::test]
async fn states_of_cli_and_console() {
    let world = World::new("pg_store_state");
    let store = store(&world);
    store.prepare().await.unwrap();
    assert_eq!(
        store.catalog_state().await.unwrap(),
        ("{}".to_owned(), "{}".to_owned())
    );
    store
        .set_catalog_state(CatalogState::Cli, "{\"a\":1}")
        .await
        .unwrap();
    store
        .set_catalog_state(CatalogState::Console, "{\"b\":2}")
        .await
        .unwrap();
    assert_eq!(
        store.catalog_state().await.unwrap(),
        ("{\"a\": 1}".to_owned(), "{\"b\": 2}".to_owned())
    );
    assert!(store.set_catalog_state(CatalogState::Cli, "{").await.is_err());
}
