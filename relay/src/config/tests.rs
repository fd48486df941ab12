//! The configuration: which source wins, and that everything wrong is said at once.

use super::*;

/// Loads `file` (TOML), `variables` and `flags`.
fn load(file: &str, variables: &[(&str, &str)], flags: &Flags) -> Result<Config, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.toml");
    std::fs::write(&path, file).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let loaded = Config::load_from(Some(&path), variables, flags);
    // The folder's name differs from run to run.
    let shown = path.display().to_string();
    loaded.map_err(|Problems(all)| all.iter().map(|one| one.replace(&shown, "FILE")).collect())
}

fn check_refused(file: &str, variables: &[(&str, &str)], expected: &[&str]) {
    let problems = load(file, variables, &Flags::default()).unwrap_err();
    assert_eq!(problems, expected, "{file} {variables:?}");
}

#[test]
fn nothing_said_is_a_working_relay() {
    let config = Config::load_from(None, std::iter::empty(), &Flags::default()).unwrap();
    assert_eq!(config, Config::default());
    assert!(config.listen.ip().is_loopback(), "nothing is open to the network unasked");
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let file = "data = \"file\"\nlisten = \"127.0.0.1:1\"\nlog_filter = \"warn\"";
    let variables =
        [("YINGKE_DATA", "environment"), ("YINGKE_LISTEN", "127.0.0.1:2"), ("PATH", "/")];
    let flags = Flags { data: Some("flag".to_owned()), ..Flags::default() };
    let config = load(file, &variables, &flags).unwrap();
    assert_eq!(config.data, Path::new("flag"));
    assert_eq!(config.listen.port(), 2);
    assert_eq!(config.log_filter, "warn");
}

#[test]
fn proxies_come_as_a_list_or_with_commas() {
    let expected: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    let listed = load("trusted_proxies = [\"10.0.0.0/8\", \"::1\"]", &[], &Flags::default());
    assert_eq!(listed.unwrap().trusted_proxies, expected);
    let variable = [("YINGKE_TRUSTED_PROXIES", "10.0.0.0/8, ::1")];
    assert_eq!(load("", &variable, &Flags::default()).unwrap().trusted_proxies, expected);
    let flags =
        Flags { trusted_proxies: vec!["10.0.0.0/8".into(), "::1".into()], ..Flags::default() };
    let flagged = load("trusted_proxies = [\"192.0.2.1\"]", &variable, &flags).unwrap();
    assert_eq!(flagged.trusted_proxies, expected);
}

#[test]
fn what_is_wrong_is_said_with_where_it_came_from() {
    check_refused("listn = \"x\"", &[], &["FILE: unknown key \"listn\"; did you mean \"listen\"?"]);
    check_refused(
        "colour = \"red\"",
        &[],
        &[
            "FILE: unknown key \"colour\"; the keys are data, listen, public_url, tls_cert, tls_key, \
           trusted_proxies, messages_per_second, sockets_per_address, log_format, log_filter",
        ],
    );
    check_refused(
        "",
        &[("YINGKE_PUBLIC_ULR", "https://chat.example")],
        &["environment: unknown variable YINGKE_PUBLIC_ULR; did you mean YINGKE_PUBLIC_URL?"],
    );
    check_refused("data = 7", &[], &["data: must be a text"]);
    check_refused("data = \"\"", &[], &["data: must not be empty"]);
    check_refused(
        "listen = \"8765\"",
        &[],
        &["listen: \"8765\" is not an address and port such as 127.0.0.1:8765"],
    );
    check_refused("log_format = \"xml\"", &[], &["log_format: \"xml\" is not text or json"]);
    check_refused("tls_cert = \"/etc/none.pem\"", &[], &["tls_key: is needed beside tls_cert"]);
    for url in ["https://chat.example/path", "https://user@chat.example", "https://chat.example/?a"]
    {
        check_refused(
            &format!("public_url = \"{url}\""),
            &[],
            &["public_url: must be only scheme, host and port"],
        );
    }
    check_refused(
        "public_url = \"ftp://chat.example\"",
        &[],
        &["public_url: must begin with https:// or http:// and name a host"],
    );
}

#[test]
fn everything_wrong_is_said_at_once() {
    let problems = load(
        "listn = \"x\"\nlisten = \"nowhere\"",
        &[("YINGKE_LOG_FORMAT", "xml")],
        &Flags { trusted_proxies: vec!["10.0.0.0/99".to_owned()], ..Flags::default() },
    );
    assert_eq!(problems.unwrap_err().len(), 4);
}

#[test]
fn variables_of_other_programs_are_left_alone() {
    let variables = [("YINGKE_FAULT", "before_commit:1"), ("YINGKE_SEAT_PROFILE", "ana")];
    assert_eq!(load("", &variables, &Flags::default()).unwrap(), Config::default());
}

#[test]
fn what_is_not_toml_is_said_alone() {
    let problems = load("data = ", &[("YINGKE_LISTEN", "x")], &Flags::default()).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("FILE: "), "{problems:?}");
}

#[test]
fn the_example_names_every_key_with_a_value_that_works() {
    let example = include_str!("../../relay.example.toml");
    assert_eq!(
        load(example, &[], &Flags::default()).unwrap(),
        Config::default(),
        "all commented out"
    );
    let active: Vec<&str> = example
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| line.split_once(" = ").is_some_and(|(key, _)| KEYS.contains(&key)))
        .collect();
    let named: Vec<&str> =
        active.iter().filter_map(|line| Some(line.split_once(" = ")?.0)).collect();
    assert_eq!(named, KEYS);
    check_refused(
        &active.join("\n"),
        &[],
        &[
            "tls_cert: /etc/yingke/chat.example.com.pem: there is no such file; name the PEM file, \
             or leave out tls_cert and tls_key",
            "tls_key: /etc/yingke/chat.example.com.key: there is no such file; name the PEM file, \
             or leave out tls_cert and tls_key",
        ],
    );
}

#[test]
fn pages_reach_it_by_its_public_address_or_the_one_it_listens_on() {
    let mut config = Config::default();
    assert_eq!(config.origin(), "http://127.0.0.1:8765");
    config.public_url = Some("https://chat.example.com/".parse().unwrap());
    assert_eq!(config.origin(), "https://chat.example.com");
    let site = "tea".parse().unwrap();
    let told = crate::tools::how_to_embed(&config.origin(), &site);
    assert!(told.contains(r#"src="https://chat.example.com/widget.js" data-site="tea""#), "{told}");
    assert!(told.ends_with("https://chat.example.com/c/tea"), "{told}");
}
