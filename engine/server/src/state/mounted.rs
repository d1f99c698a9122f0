//! A folder with a file per variable that nobody else watches: it is looked at every second, and its variables change while
//! the program runs. Looking is enough: whoever mounts it exchanges the files at moments that no notification tells of.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::State;
use crate::generation::aside::{Urgency, aside};
use crate::settings::mounted;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Follows the folder until `stop`.
pub(super) async fn follow(state: Arc<State>, folder: PathBuf, mut stop: watch::Receiver<bool>) {
    let mut trouble = None;
    loop {
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        match aside(Urgency::Gentle, || mounted(Path::new(&folder))) {
            Ok(variables) => {
                trouble = None;
                state.change_secrets(variables);
            }
            Err(error) => {
                let message = format!("{}: {error}; the last values stay in use", folder.display());
                if trouble.as_ref() != Some(&message) {
                    state.complain(message.clone());
                    trouble = Some(message);
                }
            }
        }
    }
}
