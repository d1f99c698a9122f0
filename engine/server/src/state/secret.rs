//! The Secret of the engine: its variables win over those of the environment, and change while the program runs.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use delivery::RefusedSetting;
use delivery::secret::ADMIN_TOKEN;
use kubernetes::{Connection, SecretNews, follow_secret};
use tokio::sync::{mpsc, watch};

use super::State;
use crate::observe::Event;
use crate::observe::log::Level;
use crate::settings::{Authentication, Environment};

impl State {
    /// These are the variables of the Secret now. Connections whose address changed are made anew, each when its database
    /// has answered; requests in flight end on the old ones.
    fn set_secrets(&self, version: String, values: BTreeMap<String, String>) {
        let changed = self.take_secrets(values);
        self.set_secrets_version(version);
        if changed {
            self.look.notify_one();
        }
    }

    /// The same for variables that have no version.
    pub(super) fn change_secrets(&self, values: impl IntoIterator<Item = (String, String)>) {
        if self.take_secrets(values) {
            self.look.notify_one();
        }
    }

    /// Whether they differ from what held before.
    fn take_secrets(&self, values: impl IntoIterator<Item = (String, String)>) -> bool {
        let environment = self.settings.secrets.below.with(values);
        let of_documents = self.settings.for_documents(environment.clone());
        let changed = *self.environment() != of_documents;
        if changed {
            self.environment.store(Arc::new(of_documents));
            self.read_again(&environment);
        }
        changed
    }

    /// Settings that follow the variables. One that is wrong keeps its old value, and no other does for that.
    fn read_again(&self, environment: &Environment) {
        let changeable = &self.settings.changeable;
        let mut last = self.authenticated_by();
        let mut refused = match changeable.authentication(environment, &last) {
            Ok(rotated) => {
                *last = rotated.variables;
                self.authenticate_by(rotated.authentication);
                rotated.refused
            }
            Err(error) => vec![error.refused("HASURA_GRAPHQL_ADMIN_SECRET")],
        };
        match changeable.admin_token(environment) {
            Ok(Some(token)) => self.admin_token.store(Some(Arc::new(token))),
            Ok(None) => {}
            Err(error) => refused.push(error.refused(ADMIN_TOKEN)),
        }
        for RefusedSetting { variable, message } in &refused {
            self.complain(format!("{variable}: {message}; the last value stays in use"));
        }
        self.set_refused_settings(refused);
    }

    fn authenticate_by(&self, authentication: Authentication) {
        let before = self.authenticator();
        if before.is_of(&authentication) {
            return;
        }
        for (variable, reason) in &authentication.warnings {
            self.observer.emit(Event::Unstructured {
                level: Level::Warn,
                message: format!("{variable}: {reason}"),
            });
        }
        let next = Arc::new(before.with(authentication));
        self.authenticator.store(Arc::clone(&next));
        next.announce();
        self.tell();
    }

    /// The variables that say who may ask, as they were taken last.
    fn authenticated_by(&self) -> MutexGuard<'_, Environment> {
        self.authenticated_by
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn complain(&self, message: String) {
        self.observer.emit(Event::Unstructured {
            level: Level::Error,
            message,
        });
    }
}

/// Follows the Secret until `stop`.
pub(super) async fn follow(
    state: Arc<State>,
    connection: Connection,
    name: String,
    mut stop: watch::Receiver<bool>,
) {
    // The latest is all that counts, but for what it is compared with; a Secret changes rarely.
    let (sender, mut news) = mpsc::unbounded_channel();
    let watching = async { follow_secret(&connection, &name, |news| drop(sender.send(news))).await };
    let taking = async {
        while let Some(news) = news.recv().await {
            match news {
                SecretNews::Values { version, values } => state.set_secrets(version, values),
                SecretNews::Missing => {
                    state.complain(format!(
                        "the Secret {name} is not there; its last values stay in use"
                    ));
                }
                SecretNews::Unreachable(message) => state.complain(format!(
                    "the Secret {name} cannot be watched: {message}; its last values stay in use"
                )),
            }
        }
    };
    tokio::select! {
        () = watching => {}
        () = taking => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}
