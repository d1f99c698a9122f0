//! What the tests share: a database, a source of it, and statements written by hand.

use pg::{Member, PoolSettings, RunSqlMode, Source, SourceConfig, Target};
use sql::shape::{Cardinality, Codec, FieldShape, ObjectShape, Shape, ValueShape};
use sql::{Parameter, Statement};

/// A database and a source of it.
pub(crate) struct World {
    pub(crate) source: Source,
    pub(crate) url: String,
    database: embedded::test::TestDatabase,
}

impl Drop for World {
    /// Drops the database, whoever is still connected to it: the pool's connections close in their own time.
    fn drop(&mut self) {
        let primary = member(&embedded::test::server().admin_url());
        let text = format!(
            "drop database if exists \"{}\" with (force)",
            self.database.name()
        );
        let work = async move {
            let source = Source::connect(SourceConfig {
                name: String::new(),
                primary,
                replicas: Vec::new(),
                connection_set: Vec::new(),
            });
            let mut run = source.run_sql(RunSqlMode::NoTransaction).await.unwrap();
            run.execute(&text).await.unwrap();
        };
        // A thread of its own, as this one is within a runtime.
        let thread = std::thread::spawn(|| {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(work);
        });
        let dropped = thread.join();
        assert!(dropped.is_ok() || std::thread::panicking());
    }
}

/// The usual settings.
pub(crate) fn member(url: &str) -> Member {
    Member {
        label: "test".to_owned(),
        target: Target::parse(url).unwrap(),
        pool: PoolSettings {
            max_connections: 8,
            ..PoolSettings::default()
        },
        isolation_level: pg::IsolationLevel::ReadCommitted,
        use_prepared_statements: true,
    }
}

impl World {
    /// An empty database.
    pub(crate) fn new(name: &str) -> World {
        World::with(name, |_| {})
    }

    /// An empty database reached with other settings.
    pub(crate) fn with(name: &str, change: impl FnOnce(&mut Member)) -> World {
        let database = embedded::test::TestDatabase::create(name);
        let url = database.url();
        let mut primary = member(&url);
        change(&mut primary);
        let source = Source::connect(SourceConfig {
            name: name.to_owned(),
            primary,
            replicas: Vec::new(),
            connection_set: Vec::new(),
        });
        World {
            source,
            url,
            database,
        }
    }

    /// Runs SQL of any kind.
    pub(crate) async fn sql(&self, text: &str) -> pg::SqlResult {
        let mut run = self.source.run_sql(RunSqlMode::NoTransaction).await.unwrap();
        let result = run.execute(text).await.unwrap();
        run.commit().await.unwrap();
        result
    }

    /// One value as text.
    pub(crate) async fn value(&self, text: &str) -> String {
        match self.sql(text).await {
            pg::SqlResult::TuplesOk(rows) => rows[1][0].clone(),
            pg::SqlResult::CommandOk => panic!("no rows"),
        }
    }

    /// Runs a read.
    pub(crate) async fn read(
        &self,
        statement: &Statement,
        values: &[Option<String>],
    ) -> Result<String, pg::Error> {
        let mut out = Vec::new();
        self.source.read(statement, values, None, &mut out).await?;
        Ok(String::from_utf8(out).unwrap())
    }
}

/// `{"name":…}` of columns.
pub(crate) fn object(columns: &[(&str, Codec)]) -> ValueShape {
    let fields = columns
        .iter()
        .enumerate()
        .map(|(index, (name, codec))| FieldShape {
            key: format!("\"{name}\":").into_bytes().into(),
            value: ValueShape::Column {
                index: u16::try_from(index).unwrap(),
                codec: codec.clone(),
            },
        });
    ValueShape::Object(ObjectShape {
        presence: None,
        fields: fields.collect(),
    })
}

/// A statement whose parameters are slots in order.
pub(crate) fn statement(text: &str, parameters: u32, row: ValueShape) -> Statement {
    let parameters = (0..parameters).map(Parameter::Slot).collect();
    Statement::new(
        text,
        parameters,
        Shape {
            cardinality: Cardinality::List,
            row,
        },
    )
}
