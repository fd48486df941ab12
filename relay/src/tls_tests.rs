//! What is wrong with certificate files is said so that it can be mended.

use super::*;

struct Files(tempfile::TempDir);

impl Files {
    fn with(cert: &str, key: &str) -> (Self, TlsFiles) {
        let folder = tempfile::tempdir().unwrap();
        let files =
            TlsFiles { cert: folder.path().join("chat.pem"), key: folder.path().join("chat.key") };
        std::fs::write(&files.cert, cert).unwrap();
        std::fs::write(&files.key, key).unwrap();
        (Self(folder), files)
    }

    fn problems(&self, files: &TlsFiles) -> Vec<String> {
        let found = load(files).err().unwrap_or_default();
        let folder = format!("{}/", self.0.path().display());
        found.iter().map(|problem| problem.replace(&folder, "")).collect()
    }
}

fn made(algorithm: &'static rcgen::SignatureAlgorithm) -> (String, String) {
    let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
    let cert = rcgen::CertificateParams::new(["chat.example".to_owned()]).unwrap();
    (cert.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[test]
fn usual_keys_are_taken() {
    for algorithm in
        [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519]
    {
        let (cert, key) = made(algorithm);
        // A key behind its parameters, a chain with its issuer behind it, text between.
        let key = format!("# made by hand\n{key}");
        let (_folder, files) = Files::with(&format!("{cert}\n{cert}"), &key);
        let config = load(&files).unwrap();
        assert_eq!(config.alpn_protocols, [b"http/1.1"]);
    }
}

#[test]
fn what_is_wrong_names_the_file_and_what_to_do() {
    let (cert, key) = made(&rcgen::PKCS_ECDSA_P256_SHA256);
    let (_, other_key) = made(&rcgen::PKCS_ECDSA_P256_SHA256);
    let half: String = cert.chars().take(cert.len() / 2).collect();
    let not_x509 = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    for (cert_text, key_text, expected) in [
        (
            cert.as_str(),
            other_key.as_str(),
            vec![
                "tls_key: chat.key: does not belong to the first certificate of chat.pem; give the \
                 key that certificate was made for, and put the relay's own certificate before \
                 those of its issuers",
            ],
        ),
        (
            &key,
            &cert,
            vec![
                "tls_cert: chat.pem: it holds a private key and no certificate; exchange tls_cert \
                 and tls_key",
                "tls_key: chat.key: it holds a certificate and no private key; exchange tls_cert \
                 and tls_key",
            ],
        ),
        (
            "",
            "hello",
            vec![
                "tls_cert: chat.pem: it holds no certificate; it must be PEM, with a line \
                 -----BEGIN CERTIFICATE-----",
                "tls_key: chat.key: it holds no private key; it must be PEM, with a line \
                 -----BEGIN PRIVATE KEY-----",
            ],
        ),
        (
            &cert,
            &encrypted,
            vec![
                "tls_key: chat.key: its key is encrypted; take the passphrase off with `openssl \
                 pkey -in OLD -out NEW`",
            ],
        ),
        (
            not_x509,
            &key,
            vec![
                "tls_cert: chat.pem: its first certificate cannot be read; export it again as PEM",
            ],
        ),
    ] {
        let (folder, files) = Files::with(cert_text, key_text);
        assert_eq!(folder.problems(&files), expected);
    }
    let (folder, files) = Files::with(&half, &key);
    let problems = folder.problems(&files);
    assert!(problems.len() == 1 && problems[0].starts_with("tls_cert: chat.pem: it is damaged ("));
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let (cert, key) = made(&rcgen::PKCS_ED25519);
    let (folder, files) = Files::with(&cert, &key);
    std::fs::remove_file(&files.key).unwrap();
    std::fs::write(&files.cert, cert.repeat(200)).unwrap();
    assert_eq!(
        folder.problems(&files),
        [
            "tls_cert: chat.pem: larger than 65536 bytes; name the right PEM file",
            "tls_key: chat.key: there is no such file; name the PEM file, or leave out tls_cert \
             and tls_key",
        ]
    );
    let named_folder = TlsFiles { key: folder.0.path().to_owned(), ..files };
    assert!(folder.problems(&named_folder)[1].starts_with("tls_key: "));
}
