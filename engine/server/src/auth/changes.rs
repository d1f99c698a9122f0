//! Told when sessions may have lost what they rest on: secrets or keys are others, or an issuer took a key back. And when
//! keys have come, which somebody may wait for.

use tokio::sync::watch;

/// See the module. Clones tell the same listeners.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    lost: watch::Sender<u64>,
    come: watch::Sender<u64>,
}

impl Changes {
    /// Something may no longer hold.
    pub fn tell(&self) {
        self.lost.send_modify(|count| *count += 1);
    }

    /// Keys have come from an issuer.
    pub fn tell_of_keys(&self) {
        self.come.send_modify(|count| *count += 1);
    }

    /// Learns of what may no longer hold from now on.
    pub fn listen(&self) -> watch::Receiver<u64> {
        self.lost.subscribe()
    }

    /// Learns of keys that come from now on.
    pub fn listen_for_keys(&self) -> watch::Receiver<u64> {
        self.come.subscribe()
    }
}
