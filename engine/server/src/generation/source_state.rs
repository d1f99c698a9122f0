//! One source of a generation: its connections and what is known of its catalog.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use metadata::Source;
use schema::{CatalogState, EnumRow, catalog};

use super::connection_template::ConnectionTemplate;
use super::source::{self, Surroundings};
use crate::observe::Health;

/// What a generation knows of one source.
#[derive(Debug, Clone)]
pub struct SourceState {
    /// Connections; `None` if the configuration cannot be used.
    pub database: Option<pg::Source>,
    /// Which of them a request takes.
    pub template: Option<Arc<ConnectionTemplate>>,
    /// The last catalog that was read; a source that is down keeps it.
    pub catalog: Option<Arc<CatalogState>>,
    /// Why the source cannot be used, or was not reachable when last tried.
    pub trouble: Option<String>,
}

impl SourceState {
    /// Makes the connections of a source, without trying them. One that is reached as before keeps what is there;
    /// variables and files that the configuration names are looked up again.
    pub fn open(name: &str, source: &Source, surroundings: &Surroundings, previous: Option<&Self>) -> Self {
        let template = ConnectionTemplate::of(&source.configuration).map_err(source::Error::from);
        let found =
            source::configuration(name, source, surroundings).and_then(|found| Ok((found, template?)));
        let (configuration, template) = match found {
            Ok((configuration, template)) => (configuration, template.map(Arc::new)),
            Err(error) => {
                return Self {
                    database: None,
                    template: None,
                    catalog: None,
                    trouble: Some(describe(&error)),
                };
            }
        };
        if let Some(previous) = previous
            && previous
                .database
                .as_ref()
                .is_some_and(|database| *database.config() == configuration)
        {
            return Self {
                template,
                ..previous.clone()
            };
        }
        Self {
            database: Some(pg::Source::connect(configuration)),
            template,
            catalog: None,
            trouble: None,
        }
    }

    /// Whether both have the same address, account and settings: a new password makes another source of the same catalog.
    pub fn is_reached_like(&self, other: &Self) -> bool {
        self.database.as_ref().map(pg::Source::config) == other.database.as_ref().map(pg::Source::config)
    }

    /// Whether both know the same of the database.
    pub fn knows_the_same(&self, other: &Self) -> bool {
        match (&self.catalog, &other.catalog) {
            (Some(own), Some(other)) => {
                own.catalog.fingerprint == other.catalog.fingerprint && own.enum_values == other.enum_values
            }
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether the database answers at all within `patience`. If not, the reason is kept.
    pub async fn answers(&mut self, patience: Duration) -> bool {
        let Some(database) = &self.database else {
            return false;
        };
        let (_, Some(trouble)) = read_health(database.check("select 1", patience).await) else {
            return true;
        };
        self.trouble = Some(trouble);
        false
    }

    /// Reads the catalog anew, and gives the reason if that fails. The last catalog stays then, and the reason is kept; one
    /// that only takes longer than `patience` is no trouble where a catalog is known.
    pub async fn introspect(&mut self, source: &Source, patience: Duration) -> Option<String> {
        let Some(database) = &self.database else {
            return self.trouble.clone();
        };
        let read = async {
            let read = database.introspect().await.map_err(|error| describe(&error))?;
            // Same content: the same pointer, so that what hangs on it stays.
            let catalog = match &self.catalog {
                Some(known) if known.catalog.fingerprint == read.fingerprint => Arc::clone(&known.catalog),
                _ => Arc::new(read),
            };
            let enum_values = enum_values(database, source, &catalog, self.catalog.as_deref()).await;
            Ok::<_, String>(CatalogState { catalog, enum_values })
        };
        match tokio::time::timeout(patience, read).await {
            Ok(Ok(state)) => {
                self.catalog = Some(Arc::new(state));
                self.trouble = None;
                None
            }
            Ok(Err(trouble)) => {
                self.trouble = Some(trouble.clone());
                Some(trouble)
            }
            Err(_) => {
                if self.catalog.is_none() {
                    self.trouble = Some(TIMED_OUT.to_owned());
                }
                Some(TIMED_OUT.to_owned())
            }
        }
    }

    /// Takes a catalog that was read elsewhere (within the transaction that changed it).
    pub fn adopt(&mut self, catalog: catalog::Catalog) {
        let enum_values = self
            .catalog
            .as_ref()
            .map(|known| known.enum_values.clone())
            .unwrap_or_default();
        self.catalog = Some(Arc::new(CatalogState {
            catalog: Arc::new(catalog),
            enum_values,
        }));
        self.trouble = None;
    }

    /// Reads the rows of enum tables anew.
    pub async fn refresh_enum_values(&mut self, source: &Source) {
        if let (Some(database), Some(known)) = (&self.database, &self.catalog) {
            let enum_values = enum_values(database, source, &known.catalog, Some(known)).await;
            if enum_values != known.enum_values {
                self.catalog = Some(Arc::new(CatalogState {
                    catalog: known.catalog.clone(),
                    enum_values,
                }));
            }
        }
    }
}

/// What is said of a source that does not answer in time.
pub const TIMED_OUT: &str = "timed out";

/// How a check ended, and what is said of one that did not end well.
pub fn read_health(found: pg::Health) -> (Health, Option<String>) {
    match found {
        pg::Health::Ok => (Health::Ok, None),
        pg::Health::Timeout => (Health::Timeout, Some(TIMED_OUT.to_owned())),
        pg::Health::Failed(error) => (Health::Failed, Some(describe(&error))),
        pg::Health::Error(error) => (Health::Error, Some(describe(&error))),
    }
}

/// Catalogs by source name, for those that have one.
pub fn catalogs(sources: &BTreeMap<String, SourceState>) -> BTreeMap<String, CatalogState> {
    sources
        .iter()
        .filter_map(|(name, state)| Some((name.clone(), CatalogState::clone(state.catalog.as_deref()?))))
        .collect()
}

/// The rows of each tracked enum table that looks like one; what is wrong with the others is the schema's to say. Rows
/// that are known stay while the database is away.
async fn enum_values(
    database: &pg::Source,
    source: &Source,
    catalog: &catalog::Catalog,
    known: Option<&CatalogState>,
) -> BTreeMap<catalog::QualifiedName, Result<Vec<EnumRow>, String>> {
    let mut all = BTreeMap::new();
    for query in schema::enum_queries(source, catalog) {
        let read = database
            .enum_values(&query.table, &query.value, query.description.as_deref())
            .await;
        let last = || {
            known?
                .enum_values
                .get(&query.table)
                .filter(|rows| rows.is_ok())
                .cloned()
        };
        let rows = match read {
            Ok(rows) => {
                let rows = rows.into_iter().map(|row| EnumRow {
                    value: row.value,
                    description: row.comment,
                });
                Ok(rows.collect())
            }
            Err(error @ pg::Error::Database(_)) => Err(describe(&error)),
            Err(error) => last().unwrap_or_else(|| Err(describe(&error))),
        };
        all.insert(query.table, rows);
    }
    all
}

/// An error with its causes, for operators.
pub fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        // Some drivers repeat their cause in their own words.
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use metadata::source::{DatabaseUrl, SourceConfiguration};

    use super::*;
    use crate::settings::{Environment, Pool};

    /// One connection, and no variables.
    pub(crate) fn surroundings() -> Surroundings {
        Surroundings {
            environment: Environment::default(),
            pool: Pool {
                max_connections: 1,
                idle_timeout: Duration::from_secs(1),
                connection_lifetime: None,
                pool_timeout: None,
                instances: 1,
            },
            dynamic_secrets_prefix: None,
        }
    }

    #[tokio::test]
    async fn a_database_that_is_known_and_takes_its_time_is_not_down() {
        // It accepts connections and says nothing.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!(
            "postgresql://a@{}/d?sslmode=disable",
            listener.local_addr().unwrap()
        );
        let source = Source {
            configuration: SourceConfiguration::new(DatabaseUrl::Url(url)),
            ..Source::default()
        };
        let mut state = SourceState::open("default", &source, &surroundings(), None);
        let patience = Duration::from_millis(20);
        let late = Some(TIMED_OUT.to_owned());
        assert_eq!(state.introspect(&source, patience).await, late);
        assert_eq!(state.trouble, late, "nothing is known of it");
        state.adopt(catalog::Catalog::default());
        assert_eq!(state.introspect(&source, patience).await, late);
        assert_eq!(state.trouble, None);
    }
}
