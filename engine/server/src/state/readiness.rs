//! Whether requests should come here, told the same by `/readyz` and by the report of the admin port.

use super::State;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// They should.
    Ready,
    /// The program is about to stop.
    Stopping,
    /// The keys that tokens are verified with have not come from their issuer yet.
    WithoutKeys,
    /// There is no document yet.
    WithoutDocument,
    /// None of its databases has answered yet.
    WithoutSource,
}

impl Readiness {
    /// As `/readyz` says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Stopping => "stopping",
            Self::WithoutKeys => "the keys of tokens could not be fetched yet",
            Self::WithoutDocument => "no metadata yet",
            Self::WithoutSource => "no source has answered yet",
        }
    }
}

impl State {
    /// Whether requests should come here. A pod that was ready stays so while its databases or the issuer of its keys are
    /// away: it answers what needs none of them, and says of the rest what is wrong.
    pub fn readiness(&self) -> Readiness {
        let authenticator = self.authenticator();
        if self.is_draining() {
            Readiness::Stopping
        } else if !authenticator.has_keys() {
            Readiness::WithoutKeys
        } else if !self.has_document() {
            Readiness::WithoutDocument
        } else if !self.has_reached_a_source() {
            Readiness::WithoutSource
        } else {
            authenticator.is_ready();
            Readiness::Ready
        }
    }
}
