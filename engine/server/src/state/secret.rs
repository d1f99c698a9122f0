//! The Secret of the engine: its variables win over those of the environment, and change while the program runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use kubernetes::{Connection, SecretNews, follow_secret};
use tokio::sync::{mpsc, watch};

use super::State;
use crate::generation::source_state::describe;
use crate::observe::Event;
use crate::observe::log::Level;
use crate::settings::Environment;

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

    /// Settings that follow the variables. One that is wrong keeps its old value.
    fn read_again(&self, environment: &Environment) {
        let changeable = &self.settings.changeable;
        match changeable.authentication(environment) {
            // Without any secret everybody would be an admin: that is not decided by a key that got lost.
            Ok(authentication)
                if authentication.admin_secrets.is_empty() && self.authenticator().has_secret() =>
            {
                self.complain("the Secret has no admin secret any more; the last one stays valid".to_owned());
            }
            Ok(authentication) if self.authenticator().is_of(&authentication) => {}
            Ok(authentication) => {
                for (variable, reason) in &authentication.warnings {
                    self.observer.emit(Event::Unstructured {
                        level: Level::Warn,
                        message: format!("{variable}: {reason}"),
                    });
                }
                let next = Arc::new(self.authenticator().with(authentication));
                self.authenticator.store(Arc::clone(&next));
                next.announce();
                self.tell();
            }
            Err(error) => self.complain(describe(&error)),
        }
        match changeable.admin_token(environment) {
            Ok(Some(token)) => self.admin_token.store(Some(Arc::new(token))),
            Ok(None) => {}
            Err(error) => self.complain(describe(&error)),
        }
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
