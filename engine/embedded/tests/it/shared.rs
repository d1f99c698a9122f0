//! The server of a test process.

use std::thread;

use embedded::test::{TestDatabase, server};

#[test]
fn threads_share_one_server_and_get_databases_of_their_own() {
    let threads: Vec<_> = (0..4)
        .map(|_| thread::spawn(|| (server().admin_url(), TestDatabase::create("thread"))))
        .collect();
    let results: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    for (one, database) in &results {
        assert_eq!(*one, server().admin_url());
        assert_eq!(
            results
                .iter()
                .filter(|(_, other)| other.name() == database.name())
                .count(),
            1
        );
        assert!(database.url().ends_with(database.name()));
    }
}

#[test]
fn a_database_may_be_made_inside_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let database =
            TestDatabase::create("a name with \"quotes\" and Ünïcode that is longer than Postgres keeps");
        assert!(database.name().len() <= 63);
    });
}
