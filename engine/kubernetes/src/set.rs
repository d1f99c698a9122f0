//! Sets: the index is watched, parts are got by name, and only what is whole and later is handed on.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use delivery::name::PART_KEY;
use delivery::{Damage, Index, Mark, Set, Standing, assemble};
use futures_util::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use tokio::time::{Instant, sleep_until};

use crate::connection::Connection;
use crate::watch::{self, Told, in_words};

/// The first pause before a set that could not be taken is tried again; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest one.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetNews {
    /// A set that is whole and later than all before, and its hashes.
    Set(Set, Mark),
    /// There is a set that cannot be taken. What was handed on before stays.
    Refused {
        /// Its counter, where that can be read.
        counter: Option<u64>,
        /// Why.
        message: String,
    },
    /// After anything but a set: the one that was handed on last is the one that is there.
    Same,
    /// There is no index. What was handed on before stays.
    Missing,
    /// The API server does not answer, or refuses.
    Unreachable(String),
}

/// An index that was seen and is not done with.
struct Pending {
    data: BTreeMap<String, String>,
    pause: Duration,
    at: Instant,
}

/// Tells `each` of the sets of the index with this name. `accepted` is what was accepted earlier; nothing that is not
/// later is handed on. Ends never; drop it to end it.
pub async fn follow_sets(
    connection: &Connection,
    name: &str,
    mut accepted: Option<Mark>,
    mut each: impl FnMut(SetNews),
) {
    let api: Api<ConfigMap> = Api::namespaced(connection.client.clone(), &connection.namespace);
    let mut told = pin!(watch::one(api.clone(), name));
    let mut pending: Option<Pending> = None;
    let mut last = None;
    // What is known already is not told again.
    let mut tell = |news: SetNews| {
        let known = match &news {
            SetNews::Same => last.is_none(),
            _ => last.as_ref() == Some(&news),
        };
        if !known {
            // A set is large and never told twice: its counter has grown.
            last = (!matches!(news, SetNews::Set(..) | SetNews::Same)).then(|| news.clone());
            each(news);
        }
    };
    loop {
        let again = pending.as_ref().map(|pending| pending.at);
        tokio::select! {
            told = told.next() => match told {
                None => return,
                Some(Told::Found(index)) => {
                    pending = Some(Pending {
                        data: index.data.unwrap_or_default(),
                        pause: FIRST_PAUSE,
                        at: Instant::now(),
                    });
                }
                Some(Told::Missing) => {
                    pending = None;
                    tell(SetNews::Missing);
                    continue;
                }
                Some(Told::Trouble(message)) => {
                    tell(SetNews::Unreachable(message));
                    continue;
                }
            },
            () = at(again) => {}
        }
        let Some(tried) = &mut pending else { continue };
        match take(&api, name, &mut tried.data, accepted.as_ref()).await {
            Ok(None) => {
                pending = None;
                tell(SetNews::Same);
            }
            Ok(Some((set, mark))) => {
                accepted = Some(mark.clone());
                pending = None;
                tell(SetNews::Set(set, mark));
            }
            Err(Refusal {
                counter,
                message,
                again,
            }) => {
                tell(SetNews::Refused { counter, message });
                if again {
                    tried.at = Instant::now() + tried.pause;
                    tried.pause = (tried.pause * 2).min(LONGEST_PAUSE);
                } else {
                    pending = None;
                }
            }
        }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

struct Refusal {
    counter: Option<u64>,
    message: String,
    /// The same index may be whole a moment later.
    again: bool,
}

/// The set of an index, if it is later than what was accepted; nothing, if it is the same.
async fn take(
    api: &Api<ConfigMap>,
    name: &str,
    data: &mut BTreeMap<String, String>,
    accepted: Option<&Mark>,
) -> Result<Option<(Set, Mark)>, Refusal> {
    let damaged = |counter, again| {
        move |damage: Damage| Refusal {
            counter,
            message: in_words(&damage),
            again,
        }
    };
    let index = Index::read(data).map_err(damaged(None, false))?;
    let counter = Some(index.counter);
    let refuse = |message: String| {
        Err(Refusal {
            counter,
            message,
            again: false,
        })
    };
    let accepted_counter = accepted.map_or(0, |accepted| accepted.counter);
    match index.standing(accepted) {
        Standing::Same => return Ok(None),
        Standing::Earlier => {
            return refuse(format!(
                "its counter is below the one that is served ({accepted_counter})"
            ));
        }
        Standing::Contradiction => {
            return refuse(format!(
                "its content is another one than was accepted under the same counter ({accepted_counter})"
            ));
        }
        Standing::Later => {}
    }
    let mut parts = Vec::with_capacity(index.parts.len());
    for part in index.part_names(name) {
        parts.push(get(api, &part).await.map_err(|message| Refusal {
            counter,
            message,
            again: true,
        })?);
    }
    // Parts may be of the write after this one, whose index comes next; what stands beside its index stays as it is.
    let in_parts = index.half.is_some();
    let mark = index.mark();
    // Only what is in parts is looked at again.
    let beside = if in_parts {
        BTreeMap::new()
    } else {
        std::mem::take(data)
    };
    // Hashing and decompressing takes milliseconds, in which others want to be answered.
    let assembled = tokio::task::spawn_blocking(move || assemble(&index, &beside, &parts)).await;
    match assembled {
        Ok(assembled) => assembled
            .map(|set| Some((set, mark)))
            .map_err(damaged(counter, in_parts)),
        Err(defect) => Err(Refusal {
            counter,
            message: in_words(&defect),
            again: false,
        }),
    }
}

async fn get(api: &Api<ConfigMap>, name: &str) -> Result<Vec<u8>, String> {
    let part = api
        .get(name)
        .await
        .map_err(|error| format!("the ConfigMap {name} cannot be read: {}", in_words(&error)))?;
    part.binary_data
        .and_then(|mut data| data.remove(PART_KEY))
        .map(|bytes| bytes.0)
        .ok_or_else(|| format!("the ConfigMap {name} has no binary data \"{PART_KEY}\""))
}
