//! URLs (`postgresql://…`) and `key=value` texts, as libpq reads them.

use std::time::Duration;

use url::Url;

use crate::connect::{Secret, ServerRole, Target, TlsMode};

/// What is wrong with a connection text. Never repeats it, as it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not a URL of the right form.
    #[error("the database URL is malformed")]
    Malformed,
    /// A percent sign without two hexadecimal digits, or bytes that are not UTF-8.
    #[error("the database URL has a malformed percent-encoding")]
    Encoding,
    /// A port that is not a number up to 65535.
    #[error("the database URL has a malformed port")]
    Port,
    /// A parameter nobody knows.
    #[error("the database URL has the unknown parameter \"{0}\"")]
    UnknownParameter(String),
    /// A parameter with a value that it cannot have.
    #[error("the database URL has a malformed value for \"{0}\"")]
    Value(&'static str),
    /// Numbers of hosts and ports differ.
    #[error("the database URL has not as many ports as hosts")]
    Ports,
    /// A certificate or key file cannot be read.
    #[error("cannot read the file given as \"{0}\" in the database URL")]
    File(&'static str),
}

/// The port if none is given.
const DEFAULT_PORT: u16 = 5432;

/// Reads either form.
pub(super) fn target(text: &str) -> Result<Target, ParseError> {
    let text = text.trim();
    let mut reader = Reader::default();
    let rest = text
        .strip_prefix("postgresql://")
        .or_else(|| text.strip_prefix("postgres://"));
    match rest {
        Some(rest) => reader.url(rest)?,
        None if text.contains("://") => return Err(ParseError::Malformed),
        None => reader.pairs(text)?,
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    hosts: Vec<String>,
    ports: Vec<Option<u16>>,
    target: Option<Target>,
}

impl Reader {
    fn target(&mut self) -> &mut Target {
        self.target.get_or_insert_with(Target::local)
    }

    /// `user:password@host:port,host:port/database?key=value&…`
    ///
    /// Not read by the `url` crate, which has no lists of hosts and refuses host names that Postgres allows.
    fn url(&mut self, rest: &str) -> Result<(), ParseError> {
        let (before_query, query) = match rest.split_once('?') {
            Some((before, query)) => (before, Some(query)),
            None => (rest, None),
        };
        // A password may hold an unescaped `/`; what is before the last `@` is the login.
        let (login, address) = match before_query.rsplit_once('@') {
            Some((login, address)) => (Some(login), address),
            None => (None, before_query),
        };
        let (hosts, path) = match address.split_once('/') {
            Some((hosts, path)) => (hosts, Some(path)),
            None => (address, None),
        };
        if let Some(login) = login {
            let (user, password) = match login.split_once(':') {
                Some((user, password)) => (user, Some(password)),
                None => (login, None),
            };
            if !user.is_empty() {
                self.target().user = Some(decode(user)?);
            }
            if let Some(password) = password {
                self.target().password = Some(Secret::new(decode(password)?));
            }
        }
        if !hosts.is_empty() {
            for host in hosts.split(',') {
                self.host_and_port(host)?;
            }
        }
        if let Some(path) = path.filter(|path| !path.is_empty()) {
            self.target().database = Some(decode(path)?);
        }
        for pair in query
            .into_iter()
            .flat_map(|query| query.split('&'))
            .filter(|pair| !pair.is_empty())
        {
            let (key, value) = pair.split_once('=').ok_or(ParseError::Malformed)?;
            self.parameter(&decode(key)?, &decode(value)?)?;
        }
        Ok(())
    }

    fn host_and_port(&mut self, text: &str) -> Result<(), ParseError> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or(ParseError::Malformed)?;
            // The `url` crate is the judge of IPv6 addresses.
            Url::parse(&format!("postgresql://[{host}]")).map_err(|_| ParseError::Malformed)?;
            (
                host,
                rest.strip_prefix(':')
                    .or(if rest.is_empty() { Some("") } else { None }),
            )
        } else {
            match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, Some("")),
            }
        };
        self.hosts.push(decode(host)?);
        self.ports.push(read_port(port.ok_or(ParseError::Malformed)?)?);
        Ok(())
    }

    /// `host=… password='with '' quotes'`
    fn pairs(&mut self, text: &str) -> Result<(), ParseError> {
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (key, after) = rest.split_once('=').ok_or(ParseError::Malformed)?;
            let key = key.trim_end();
            if key.is_empty() || key.contains(char::is_whitespace) {
                return Err(ParseError::Malformed);
            }
            let (value, after) = pair_value(after.trim_start())?;
            self.parameter(key, &value)?;
            rest = after.trim_start();
        }
        Ok(())
    }

    fn parameter(&mut self, key: &str, value: &str) -> Result<(), ParseError> {
        let text = || value.to_owned();
        match key {
            "host" | "hostaddr" => self.hosts = value.split(',').map(str::to_owned).collect(),
            "port" => self.ports = value.split(',').map(read_port).collect::<Result<_, _>>()?,
            "user" => self.target().user = Some(text()),
            "password" => self.target().password = Some(Secret::new(value)),
            "dbname" => self.target().database = Some(text()),
            "application_name" | "fallback_application_name" => self.target().application_name = Some(text()),
            "options" => self.target().options = Some(text()),
            "connect_timeout" => {
                let seconds: u64 = value.parse().map_err(|_| ParseError::Value("connect_timeout"))?;
                // As libpq: 0 waits for ever, which here is an hour.
                self.target().connect_timeout =
                    Duration::from_secs(if seconds == 0 { 3600 } else { seconds });
            }
            "target_session_attrs" => {
                self.target().role = match value {
                    "any" | "prefer-standby" => ServerRole::Any,
                    "read-write" | "primary" => ServerRole::Primary,
                    "read-only" | "standby" => ServerRole::Standby,
                    _ => return Err(ParseError::Value("target_session_attrs")),
                };
            }
            "sslmode" => self.target().tls.mode = read_mode(value)?,
            "ssl" => {
                self.target().tls.mode = if value == "true" {
                    TlsMode::Require
                } else {
                    TlsMode::Disable
                };
            }
            "sslrootcert" if value == "system" => {}
            "sslrootcert" => self.target().tls.root_certificate = Some(read_file(value, "sslrootcert")?),
            "sslcert" => self.target().tls.client_certificate = Some(read_file(value, "sslcert")?),
            "sslkey" => self.target().tls.client_key = Some(Secret::new(read_file(value, "sslkey")?)),
            "sslpassword" => self.target().tls.client_key_password = Some(Secret::new(value)),
            // Tuning that the drivers do by themselves or that changes nothing about the result.
            "keepalives"
            | "keepalives_idle"
            | "keepalives_interval"
            | "keepalives_count"
            | "tcp_user_timeout"
            | "channel_binding"
            | "gssencmode"
            | "krbsrvname"
            | "client_encoding"
            | "sslsni"
            | "sslcompression"
            | "ssl_min_protocol_version"
            | "load_balance_hosts" => {}
            other => return Err(ParseError::UnknownParameter(other.to_owned())),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Target, ParseError> {
        if self.hosts.is_empty() {
            self.hosts.push("localhost".to_owned());
        }
        let ports = match self.ports.as_slice() {
            [] => vec![DEFAULT_PORT; self.hosts.len()],
            [one] => vec![one.unwrap_or(DEFAULT_PORT); self.hosts.len()],
            many => many.iter().map(|port| port.unwrap_or(DEFAULT_PORT)).collect(),
        };
        if ports.len() != self.hosts.len() {
            return Err(ParseError::Ports);
        }
        let hosts = self.hosts.drain(..).map(|host| {
            if host.is_empty() {
                "localhost".to_owned()
            } else {
                host
            }
        });
        let hosts = hosts.zip(ports).collect();
        let target = self.target.unwrap_or_else(Target::local);
        Ok(Target { hosts, ..target })
    }
}

fn read_port(text: &str) -> Result<Option<u16>, ParseError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| ParseError::Port)
}

fn read_mode(text: &str) -> Result<TlsMode, ParseError> {
    TlsMode::parse(text).ok_or(ParseError::Value("sslmode"))
}

fn read_file(path: &str, parameter: &'static str) -> Result<String, ParseError> {
    std::fs::read_to_string(path).map_err(|_| ParseError::File(parameter))
}

/// One value of a `key=value` text, and the rest behind it.
fn pair_value(text: &str) -> Result<(String, &str), ParseError> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    let quoted = text.starts_with('\'');
    if quoted {
        characters.next();
    }
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.push(characters.next().ok_or(ParseError::Malformed)?.1),
            '\'' if quoted => return Ok((value, text.get(at + 1..).unwrap_or_default())),
            c if c.is_whitespace() && !quoted => return Ok((value, text.get(at..).unwrap_or_default())),
            c => value.push(c),
        }
    }
    if quoted {
        Err(ParseError::Malformed)
    } else {
        Ok((value, ""))
    }
}

/// Percent-decoding.
fn decode(text: &str) -> Result<String, ParseError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| {
            byte.and_then(|b| char::from(b).to_digit(16))
                .ok_or(ParseError::Encoding)
        };
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| ParseError::Encoding)?);
    }
    String::from_utf8(bytes).map_err(|_| ParseError::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let target =
            target("postgresql://me:p%40ss@db.example:6543/app?sslmode=verify-full&application_name=x%20y&target_session_attrs=primary")
                .unwrap();
        assert_eq!(target.hosts, [("db.example".to_owned(), 6543)]);
        assert_eq!(target.user.as_deref(), Some("me"));
        assert_eq!(target.password.as_ref().map(Secret::expose), Some("p@ss"));
        assert_eq!(target.database.as_deref(), Some("app"));
        assert_eq!(target.application_name.as_deref(), Some("x y"));
        assert_eq!(target.tls.mode, TlsMode::VerifyFull);
        assert_eq!(target.role, ServerRole::Primary);
        assert!(!format!("{target:?}").contains("p@ss"));
    }

    #[test]
    fn several_hosts_and_sockets() {
        let target = target("postgres://a:1,[::1]:2,%2Frun%2Fpg/db").unwrap();
        let hosts: Vec<_> = target
            .hosts
            .iter()
            .map(|(host, port)| (host.as_str(), *port))
            .collect();
        assert_eq!(hosts, [("a", 1), ("::1", 2), ("/run/pg", 5432)]);
    }

    #[test]
    fn pairs() {
        let target = target(r"host=h port=7 user = u password='it''s' dbname='a b'");
        // libpq ends the value at the second quote, what follows is no key.
        assert_eq!(target, Err(ParseError::Malformed));
        let target = super::target(r"host=h port=7 user = u password='it\'s' dbname='a b'").unwrap();
        assert_eq!(target.password.as_ref().map(Secret::expose), Some("it's"));
        assert_eq!(target.database.as_deref(), Some("a b"));
        assert_eq!(target.hosts, [("h".to_owned(), 7)]);
    }

    #[test]
    fn errors_do_not_repeat_the_text() {
        for text in [
            "postgres://u:secret@h:99999/x",
            "postgres://u:secret@h/x?zzz=1",
            "mysql://u:secret@h",
            "secret",
        ] {
            let error = target(text).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
