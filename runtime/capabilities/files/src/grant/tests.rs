use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use longshore_disk::RealDisk;
use longshore_model::FaultClass;
use tempfile::TempDir;

use super::*;

/// ```text
/// w/            the worker's working directory
///   logs/       app.log, app.log.1, to-app (→ app.log), to-secret (→ ../other/secret), dangling,
///               sub/, socket
///   data/       segment: the data directory
///   other/      secret
///   link        → logs
///   to-data     → data
/// ```
fn world() -> TempDir {
    let world = tempfile::tempdir().unwrap();
    let at = |path: &str| world.path().join(path);
    for dir in ["logs/sub", "data", "other"] {
        fs::create_dir_all(at(dir)).unwrap();
    }
    for file in [
        "logs/app.log",
        "logs/app.log.1",
        "data/segment",
        "other/secret",
    ] {
        fs::write(at(file), "x").unwrap();
    }
    symlink("app.log", at("logs/to-app")).unwrap();
    symlink("../other/secret", at("logs/to-secret")).unwrap();
    symlink("../other/new", at("logs/dangling")).unwrap();
    symlink("logs", at("link")).unwrap();
    symlink("data", at("to-data")).unwrap();
    drop(UnixListener::bind(at("logs/socket")).unwrap());
    world
}

fn grant(world: &TempDir, access: Access, named: &str) -> FilesGrant {
    let mut grant = FilesGrant::new(world.path().to_owned(), Path::new("data"));
    grant.name(access, named).unwrap();
    grant
}

#[track_caller]
fn check(named: (Access, &str), asked: (Access, &str), expected: Result<bool, &str>) {
    let world = world();
    let grant = grant(&world, named.0, named.1);
    let asked_text = asked.1.replace("$W", world.path().to_str().unwrap());
    let got = grant.resolve(&RealDisk, &asked_text, asked.0);
    let got = got.as_ref().map(|g| g.found.is_some()).map_err(Error::code);
    assert_eq!(got, expected, "{named:?} asked for {asked:?}");
}

use Access::{Read, Write};

#[test]
fn naming_a_file_or_a_glob_grants_reading_the_files_of_its_directory() {
    for named in [
        "logs/app.log",
        "logs/*.log",
        "link/app.log",
        "logs/not-there",
    ] {
        check((Read, named), (Read, "logs/app.log"), Ok(true));
        check((Read, named), (Read, "$W/logs/app.log.1"), Ok(true));
        check((Read, named), (Read, "link/app.log"), Ok(true));
        check((Read, named), (Read, "logs/to-app"), Ok(true));
        check((Read, named), (Read, "logs/none"), Ok(false));
        check(
            (Read, named),
            (Write, "logs/app.log"),
            Err("file-not-granted"),
        );
    }
}

#[test]
fn a_sink_gets_its_file_and_sidecars_and_no_neighbour() {
    let named = (Write, "logs/app.log");
    check(named, (Write, "logs/app.log"), Ok(true));
    check(named, (Read, "logs/app.log"), Ok(true));
    check(named, (Write, "logs/app.log.longshore"), Ok(false));
    check(named, (Write, "logs/app.log.longshore.new"), Ok(false));
    for neighbour in [
        "logs/app.log.1",
        "logs/app.log.longshorex",
        "logs/app",
        "logs/x",
        "other/app.log",
        "logs/.longshore",
    ] {
        check(named, (Write, neighbour), Err("file-not-granted"));
        check(named, (Read, neighbour), Err("file-not-granted"));
    }
}

#[test]
fn nothing_else_is_granted_and_existence_is_not_told() {
    let named = (Read, "logs/app.log");
    for asked in ["other/secret", "none/secret", "/etc/passwd", "logs/sub/x"] {
        check(named, (Read, asked), Err("file-not-granted"));
    }
}

#[test]
fn dots_climb_only_where_the_config_spells_them() {
    let named = (Read, "logs/app.log");
    check(
        named,
        (Read, "logs/../other/secret"),
        Err("file-path-climbs"),
    );
    check(
        named,
        (Read, "logs/../logs/app.log"),
        Err("file-path-climbs"),
    );
    check(named, (Read, "logs/.."), Err("file-bad-path"));
    let climbing = (Read, "other/../logs/app.log");
    check(climbing, (Read, "other/../logs/app.log"), Ok(true));
    check(climbing, (Read, "other/secret"), Err("file-not-granted"));
}

#[test]
fn links_do_not_lead_out() {
    let named = (Read, "logs/*");
    check(named, (Read, "logs/to-secret"), Err("file-link-leads-out"));
    check(
        (Write, "logs/to-secret"),
        (Write, "logs/to-secret"),
        Err("file-link-leads-out"),
    );
    check(named, (Read, "logs/dangling"), Ok(false));
}

#[test]
fn only_regular_files_are_granted() {
    let named = (Read, "logs/*");
    check(named, (Read, "logs/sub"), Err("file-not-regular"));
    check(named, (Read, "logs/socket"), Err("file-not-regular"));
    check(
        (Read, "/dev/*"),
        (Read, "/dev/zero"),
        Err("file-not-regular"),
    );
    check(
        (Write, "logs/sub"),
        (Write, "logs/sub"),
        Err("file-not-regular"),
    );
}

#[test]
fn the_data_directory_is_never_granted() {
    for named in ["data/segment", "to-data/segment"] {
        for access in [Read, Write] {
            check(
                (access, named),
                (access, "data/segment"),
                Err("file-in-data-directory"),
            );
            check(
                (access, named),
                (access, named),
                Err("file-in-data-directory"),
            );
        }
    }
}

#[test]
fn a_link_does_not_lead_into_the_data_directory_whatever_else_is_granted() {
    let world = world();
    symlink("../data/segment", world.path().join("logs/to-segment")).unwrap();
    for access in [Read, Write] {
        let mut grant = grant(&world, access, "logs/to-segment");
        grant.name(access, "data/segment").unwrap();
        let refused = grant.resolve(&RealDisk, "logs/to-segment", access);
        assert_eq!(refused.unwrap_err().code(), "file-in-data-directory");
    }
}

#[test]
fn text_that_is_no_path_is_refused() {
    let too_long = "x".repeat(5000);
    for text in ["", "/", "logs/", "..", "a\0b", &too_long] {
        check((Read, "logs/*"), (Read, text), Err("file-bad-path"));
    }
    let mut grant = FilesGrant::new("/".into(), Path::new("/data"));
    for pattern in ["lo*/app.log", "logs/[", ""] {
        let refused = grant.name(Read, pattern).unwrap_err();
        assert_eq!(refused.class(), FaultClass::Config, "{pattern}");
    }
}

#[test]
fn a_missing_directory_that_the_config_names_is_not_found_rather_than_denied() {
    check(
        (Read, "none/app.log"),
        (Read, "none/app.log"),
        Err("file-not-found"),
    );
}
