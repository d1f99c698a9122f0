//! TLS as a server with certificates of its own sees it: every `sslmode`, client certificates, encrypted keys.
//!
//! The server is one for these tests alone, as turning TLS on changes what `prefer` means for everybody.

use std::error::Error;

use embedded::{Launch, Server};
use pg::{RunSqlMode, Secret, Source, SourceConfig, SqlResult, TlsMode, TlsSettings};
use pkcs8::der::pem::LineEnding;
use pkcs8::pkcs5::pbes2::Parameters;
use pkcs8::{PrivateKeyInfo, SecretDocument};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

use crate::world::member;

/// A certificate authority.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    /// A certificate and its key for this name.
    fn issue(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> (String, KeyPair) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages.push(usage);
        let key = KeyPair::generate().unwrap();
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        (pem, key)
    }
}

/// A server whose certificate is for `localhost`.
struct Encrypted {
    server: Server,
    authority: Authority,
}

/// Who may log in, and how.
const ACCESS: &str = "
    hostnossl all only_tls all reject
    host all only_tls all trust
    hostssl all with_certificate all cert
    hostssl all no_tls all reject
    host all no_tls all trust
    host all all all password
";

/// A statement that writes lines into a file in the data directory, for its owner alone.
fn write(file: &str, content: &str) -> String {
    format!(
        "copy (select unnest(string_to_array($text${content}$text$, E'\\n'))) to program 'umask 077; cat > {file}';"
    )
}

impl Encrypted {
    async fn start() -> Encrypted {
        let server = Launch::temporary().start(&mut |_| {}).unwrap();
        let authority = Authority::new("the issuer");
        let (certificate, key) = authority.issue("localhost", ExtendedKeyUsagePurpose::ServerAuth);
        let setup = [
            write("server.crt", &certificate),
            write("server.key", &key.serialize_pem()),
            write("root.crt", &authority.pem),
            write("pg_hba.conf", ACCESS),
            "create role only_tls login; create role with_certificate login; create role no_tls login;"
                .to_owned(),
        ];
        let plain = source(
            &server.url("postgres"),
            "postgres",
            "127.0.0.1",
            TlsSettings::default(),
        );
        let mut run = plain.run_sql(RunSqlMode::NoTransaction).await.unwrap();
        for text in setup {
            run.execute(&text).await.unwrap();
        }
        for text in [
            "alter system set ssl_ca_file = 'root.crt'",
            "alter system set ssl = on",
            "select pg_reload_conf()",
        ] {
            run.execute(text).await.unwrap();
        }
        let encrypted = Encrypted { server, authority };
        // The postmaster reads its files when the signal gets there.
        let settings = encrypted.settings(TlsMode::Require);
        let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while encrypted
            .login("postgres", "localhost", settings.clone())
            .await
            .is_err()
        {
            assert!(std::time::Instant::now() < end, "the server does not speak TLS");
        }
        encrypted
    }

    /// With the right issuer.
    fn settings(&self, mode: TlsMode) -> TlsSettings {
        TlsSettings {
            mode,
            root_certificate: Some(self.authority.pem.clone()),
            ..TlsSettings::default()
        }
    }

    /// Logs in and says whether the connection is encrypted, or why there is none.
    async fn login(&self, role: &str, host: &str, tls: TlsSettings) -> Result<bool, String> {
        let source = source(&self.server.url("postgres"), role, host, tls);
        let mut run = source
            .run_sql(RunSqlMode::ReadOnly)
            .await
            .map_err(|error| said(&error))?;
        let answer = run
            .execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
            .await
            .unwrap();
        let SqlResult::TuplesOk(rows) = answer else {
            panic!("no rows");
        };
        Ok(rows[1][0] == "t")
    }
}

fn source(url: &str, role: &str, host: &str, tls: TlsSettings) -> Source {
    let mut primary = member(url);
    primary.target.user = Some(role.to_owned());
    primary.target = primary.target.with_tls(tls);
    for known in &mut primary.target.hosts {
        host.clone_into(&mut known.0);
    }
    primary.pool.retries = 0;
    Source::connect(SourceConfig {
        name: "tls".to_owned(),
        primary,
        replicas: Vec::new(),
        connection_set: Vec::new(),
    })
}

/// An error with its causes.
fn said(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn modes_certificates_and_keys() {
    let encrypted = Encrypted::start().await;
    modes(&encrypted).await;
    issuers_and_names(&encrypted).await;
    client_certificates(&encrypted).await;
    both_drivers(&encrypted).await;
}

async fn modes(encrypted: &Encrypted) {
    use TlsMode::{Allow, Disable, Prefer, Require};
    let login = async |role: &str, mode: TlsMode| {
        let settings = TlsSettings {
            mode,
            ..TlsSettings::default()
        };
        encrypted.login(role, "127.0.0.1", settings).await.ok()
    };
    // A server that takes both; one that insists on TLS; one that will have none of it.
    for (mode, any, only_tls, no_tls) in [
        (Disable, Some(false), None, Some(false)),
        (Allow, Some(false), Some(true), Some(false)),
        (Prefer, Some(true), Some(true), None),
        (Require, Some(true), Some(true), None),
    ] {
        assert_eq!(login("postgres", mode).await, any, "{mode:?}");
        assert_eq!(login("only_tls", mode).await, only_tls, "{mode:?}");
        // `prefer` goes without where the server has no TLS at all, not where it refuses the login.
        assert_eq!(login("no_tls", mode).await, no_tls, "{mode:?}");
    }
    let without = embedded::test::server();
    for (mode, reached) in [(Prefer, true), (Require, false)] {
        let settings = TlsSettings {
            mode,
            ..TlsSettings::default()
        };
        let mut primary = member(&without.admin_url());
        primary.target = primary.target.with_tls(settings);
        primary.pool.retries = 0;
        let source = Source::connect(SourceConfig {
            name: "no tls".to_owned(),
            primary,
            replicas: Vec::new(),
            connection_set: Vec::new(),
        });
        assert_eq!(source.fingerprint().await.is_ok(), reached, "{mode:?}");
    }
}

async fn issuers_and_names(encrypted: &Encrypted) {
    use TlsMode::{Prefer, Require, VerifyCa, VerifyFull};
    let other = Authority::new("somebody else").pem;
    let login = async |mode: TlsMode, root: Option<&str>, host: &str| {
        let settings = TlsSettings {
            mode,
            root_certificate: root.map(str::to_owned),
            ..TlsSettings::default()
        };
        encrypted.login("postgres", host, settings).await
    };
    let right = Some(encrypted.authority.pem.as_str());
    let wrong = Some(other.as_str());
    for (mode, root, host, reached) in [
        (Prefer, wrong, "127.0.0.1", true),
        (Require, None, "127.0.0.1", true),
        (Require, right, "127.0.0.1", true),
        // As libpq: with a root certificate at hand, `require` checks the issuer.
        (Require, wrong, "127.0.0.1", false),
        (VerifyCa, right, "127.0.0.1", true),
        (VerifyCa, wrong, "localhost", false),
        (VerifyCa, None, "localhost", false),
        (VerifyFull, right, "localhost", true),
        (VerifyFull, right, "127.0.0.1", false),
        (VerifyFull, wrong, "localhost", false),
        (VerifyFull, None, "localhost", false),
    ] {
        let found = login(mode, root, host).await;
        assert_eq!(
            found.is_ok(),
            reached,
            "{mode:?} {} {host}: {found:?}",
            root == right
        );
        assert!(!matches!(found, Ok(false)), "{mode:?} is not encrypted");
    }
}

/// The key encrypted with a password, as `openssl pkcs8 -topk8` does it.
fn locked(key: &KeyPair, password: &str) -> String {
    let der = key.serialize_der();
    let info = PrivateKeyInfo::try_from(der.as_slice()).unwrap();
    let parameters = Parameters::pbkdf2_sha256_aes256cbc(2048, &[7; 16], &[9; 16]).unwrap();
    let document: SecretDocument = info.encrypt_with_params(parameters, password).unwrap();
    document
        .to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)
        .unwrap()
        .to_string()
}

async fn client_certificates(encrypted: &Encrypted) {
    let (certificate, key) = encrypted
        .authority
        .issue("with_certificate", ExtendedKeyUsagePurpose::ClientAuth);
    let (other, other_key) = encrypted
        .authority
        .issue("somebody", ExtendedKeyUsagePurpose::ClientAuth);
    let open = key.serialize_pem();
    let closed = locked(&key, "the key's password");
    let login = async |certificate: Option<&str>, key: Option<&str>, password: Option<&str>| {
        let settings = TlsSettings {
            client_certificate: certificate.map(str::to_owned),
            client_key: key.map(Secret::new),
            client_key_password: password.map(Secret::new),
            ..encrypted.settings(TlsMode::VerifyFull)
        };
        encrypted.login("with_certificate", "localhost", settings).await
    };
    let certificate = Some(certificate.as_str());
    assert_eq!(login(certificate, Some(&open), None).await, Ok(true));
    assert_eq!(
        login(certificate, Some(&open), Some("needed by nothing")).await,
        Ok(true)
    );
    assert_eq!(
        login(certificate, Some(&closed), Some("the key's password")).await,
        Ok(true)
    );
    let refused = async |certificate: Option<&str>, key: Option<&str>, password: Option<&str>, why: &str| {
        let found = login(certificate, key, password).await.unwrap_err();
        assert!(found.contains(why), "{found}");
        assert!(!found.contains("wrong word"), "{found}");
    };
    refused(None, None, None, "requires a valid client certificate").await;
    refused(
        Some(&other),
        Some(&other_key.serialize_pem()),
        None,
        "certificate authentication failed",
    )
    .await;
    refused(
        certificate,
        Some(&other_key.serialize_pem()),
        None,
        "do not fit together",
    )
    .await;
    refused(certificate, None, None, "must be given together").await;
    refused(certificate, Some(&closed), None, "there is no sslpassword").await;
    refused(
        certificate,
        Some(&closed),
        Some("wrong word"),
        "cannot be decrypted",
    )
    .await;
    let old =
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    refused(certificate, Some(old), Some("wrong word"), "openssl pkcs8 -topk8").await;
}

/// The metadata database is reached by another driver, with the same settings.
async fn both_drivers(encrypted: &Encrypted) {
    let (certificate, key) = encrypted
        .authority
        .issue("with_certificate", ExtendedKeyUsagePurpose::ClientAuth);
    let store = async |password: &str| {
        let settings = TlsSettings {
            client_certificate: Some(certificate.clone()),
            client_key: Some(Secret::new(locked(&key, "the key's password"))),
            client_key_password: Some(Secret::new(password)),
            ..encrypted.settings(TlsMode::VerifyFull)
        };
        let mut target = member(&encrypted.server.url("postgres"))
            .target
            .with_tls(settings);
        target.hosts[0].0 = "localhost".to_owned();
        target.user = Some("with_certificate".to_owned());
        let store = pg::Store::connect(&target, &pg::PoolSettings::default(), "public")
            .map_err(|error| said(&error))?;
        // Logged in, and refused for what is not there.
        store.resource_version().await.map_err(|error| said(&error))
    };
    let reached = store("the key's password").await.unwrap_err();
    assert!(reached.contains("hdb_catalog"), "{reached}");
    let locked_out = store("another").await.unwrap_err();
    assert!(!locked_out.contains("hdb_catalog"), "{locked_out}");
}
