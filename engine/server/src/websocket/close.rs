//! Why a websocket is closed: the code and its reason.

use serde_json::json;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Bytes that a reason may have: what a control frame holds behind the code.
const LONGEST: usize = 123;

/// A code and a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    code: CloseCode,
    reason: String,
}

impl Close {
    /// Hasura's form for a wrong client: `{"server_error_msg":"4400: why"}`, cut short where it would not fit.
    pub fn of(code: u16, message: &str) -> Self {
        Self::told_as(code, code, message)
    }

    /// The same where the frame's code is another than the one that is told.
    pub fn told_as(code: u16, told: u16, message: &str) -> Self {
        let mut end = message.len().min(LONGEST);
        loop {
            while !message.is_char_boundary(end) {
                end -= 1;
            }
            let reason = json!({"server_error_msg": format!("{told}: {}", &message[..end])}).to_string();
            if reason.len() <= LONGEST || end == 0 {
                return Self {
                    code: CloseCode::from(code),
                    reason,
                };
            }
            end -= 1;
        }
    }

    /// A reason as it is.
    pub fn plain(code: CloseCode, reason: &str) -> Self {
        Self {
            code,
            reason: reason.to_owned(),
        }
    }

    /// The program stops; clients find another instance.
    pub fn stopping() -> Self {
        Self::plain(CloseCode::Restart, "shutting server down")
    }

    /// The metadata changed; clients connect again.
    pub fn changed() -> Self {
        Self::plain(CloseCode::Restart, "Server state changed, restarting the server")
    }

    /// The token or the webhook's answer is no longer good. Clients may come back with a newer one.
    pub fn expired() -> Self {
        Self::of(4403, "the session expired")
    }

    /// The client wants to go.
    pub fn terminated() -> Self {
        Self::plain(CloseCode::Normal, "GQL_CONNECTION_TERMINATE received")
    }
}

impl From<Close> for CloseFrame {
    fn from(close: Close) -> Self {
        Self {
            code: close.code,
            reason: close.reason.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_fit_and_stay_json() {
        assert_eq!(
            Close::of(4403, "Forbidden").reason,
            r#"{"server_error_msg":"4403: Forbidden"}"#
        );
        for message in [
            "x".repeat(500),
            "\"".repeat(500),
            "é\u{1}".repeat(300),
            "\u{1f980}".repeat(99),
        ] {
            let close = Close::told_as(1000, 4400, &message);
            assert!(
                close.reason.len() <= LONGEST && close.reason.len() > LONGEST - 8,
                "{}",
                close.reason
            );
            let read: serde_json::Value = serde_json::from_str(&close.reason).unwrap();
            let told = read["server_error_msg"].as_str().unwrap();
            assert!(message.starts_with(told.strip_prefix("4400: ").unwrap()));
        }
    }
}
