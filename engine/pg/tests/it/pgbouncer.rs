//! Behind PgBouncer in transaction mode, where two transactions of ours may be on two servers and one server serves
//! everybody: no prepared statements, no session state.
//!
//! Ignored unless asked for, because the program `pgbouncer` is not everywhere; `.ci/run` asks for it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use embedded::test::TestDatabase;
use pg::{RunSqlMode, Source, SourceConfig, SqlResult, Target};
use sql::shape::{Codec, ValueShape};

use crate::world::{member, statement};

/// Connections of PgBouncer to the server, for all of its clients.
const SERVERS: usize = 2;

struct PgBouncer {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl PgBouncer {
    fn start(database: &TestDatabase) -> PgBouncer {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let folder = std::env::temp_dir().join(format!("rowlock-pgbouncer-{port}"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).unwrap();
        let target = Target::parse(&database.url()).unwrap();
        let (host, server_port) = &target.hosts[0];
        let login = format!(
            "user={} password={}",
            target.user.unwrap(),
            target.password.as_ref().map_or("", |password| password.expose())
        );
        let settings = format!(
            "[databases]\nbehind = host={host} port={server_port} dbname={} {login}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = {SERVERS}\nmax_client_conn = 200\n",
            database.name()
        );
        let file = folder.join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new("pgbouncer");
        if std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
            // It refuses to run as root.
            command.args(["-u", "nobody"]);
        }
        let mut child = command
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("this test needs the program pgbouncer in the path: {error}"));
        let mut lines = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let mut seen = Vec::new();
        while !seen
            .last()
            .is_some_and(|line: &String| line.contains("process up"))
        {
            seen.push(
                lines
                    .next()
                    .unwrap_or_else(|| panic!("pgbouncer ended: {seen:?}")),
            );
        }
        std::thread::spawn(move || lines.for_each(drop));
        PgBouncer { child, folder, port }
    }

    fn source(&self) -> Source {
        let mut primary = member(&format!(
            "postgresql://anybody@127.0.0.1:{}/behind?sslmode=disable",
            self.port
        ));
        primary.use_prepared_statements = false;
        primary.pool.max_connections = 20;
        Source::connect(SourceConfig {
            name: "behind".to_owned(),
            primary,
            replicas: Vec::new(),
            connection_set: Vec::new(),
        })
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn run(source: &Source, text: &str) -> Vec<Vec<String>> {
    let mut run = source.run_sql(RunSqlMode::Transaction).await.unwrap();
    let answer = run.execute(text).await.unwrap();
    run.commit().await.unwrap();
    match answer {
        SqlResult::TuplesOk(rows) => rows,
        SqlResult::CommandOk => Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the program pgbouncer"]
async fn transactions_of_many_clients_on_two_servers() {
    let database = TestDatabase::create("pgbouncer");
    let bouncer = PgBouncer::start(&database);
    let source = bouncer.source();
    run(
        &source,
        "create table item (id int primary key, at timestamptz not null)",
    )
    .await;
    let catalog = source.introspect().await.unwrap();
    assert!(catalog.table("public", "item").is_some());
    assert_eq!(source.fingerprint().await.unwrap(), catalog.fingerprint);
    let text = |text: &str, parameters: u32| {
        statement(
            text,
            parameters,
            ValueShape::Column {
                index: 0,
                codec: Codec::Text,
            },
        )
    };
    let insert = text(
        "insert into item values ($1::int4, '2024-01-02 03:04:05+00') returning current_setting('hasura.user')",
        1,
    );
    let select = text(
        "select at::text || ' ' || pg_backend_pid() || ' ' || $1::int4 from item where id = $1::int4",
        1,
    );
    let servers: Mutex<BTreeSet<String>> = Mutex::default();
    let requests = (0..100_i32).map(|id| {
        let (source, insert, select, servers) = (&source, &insert, &select, &servers);
        async move {
            let values = [Some(id.to_string())];
            let session = format!("{{\"x-hasura-user-id\":\"{id}\"}}");
            let mut write = source.begin(Some(&session)).await.unwrap();
            let mut out = Vec::new();
            write.execute(insert, &values, None, &mut out).await.unwrap();
            write.commit().await.unwrap();
            let own = String::from_utf8(out).unwrap();
            assert!(own.contains(&format!("user-id\\\":\\\"{id}\\\"")), "{own}");
            let mut out = Vec::new();
            source.read(select, &values, None, &mut out).await.unwrap();
            let read = String::from_utf8(out).unwrap();
            // In UTC, whatever the server's or another client's time zone.
            assert!(read.contains("2024-01-02 03:04:05+00 "), "{read}");
            servers
                .lock()
                .unwrap()
                .insert(read.split(' ').nth(2).unwrap().to_owned());
        }
    });
    futures_util::future::join_all(requests).await;
    assert!(servers.lock().unwrap().len() <= SERVERS, "{servers:?}");
    let left = run(
        &source,
        "select (select count(*) from pg_prepared_statements), coalesce(current_setting('hasura.user', true), '')",
    )
    .await;
    assert_eq!(left[1], ["0", ""]);
    assert_eq!(run(&source, "select count(*) from item").await[1], ["100"]);
}
