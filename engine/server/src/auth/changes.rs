//! Told when sessions may have lost what they rest on: secrets or keys are others, or an issuer took a key back.

use tokio::sync::watch;

/// See the module. Clones tell the same listeners.
#[derive(Debug, Clone, Default)]
pub struct Changes(watch::Sender<u64>);

impl Changes {
    /// Something may no longer hold.
    pub fn tell(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    /// Learns of what is told from now on.
    pub fn listen(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}
