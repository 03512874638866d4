//! The file with the key that passwords are sealed with.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use longshore_worker::SealKey;

use crate::config::Settings;
use crate::error::{Code, Failure, Result};

const SETTING: &str = "config.secret.key.file";
/// Where the key lies when nobody says, in the data directory.
const FILE: &str = "secret.key";
const ONLY_OWNER: u32 = 0o600;

/// Reads the key that the settings name; else the one in the data directory, which the first start makes.
pub(super) fn load(settings: &Settings) -> Result<SealKey> {
    let Some(named) = &settings.secret_key_file else {
        let file = settings.data_dir.join(FILE);
        let made = read(&file).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => make(&settings.data_dir, &file),
            _ => Err(error),
        });
        return made.map_err(|error| {
            let message = format!("{}: {error}", file.display());
            Failure::new(Code::DataDir, message).fix(fix(&error, &file))
        });
    };
    read(named).map_err(|error| {
        let origin = settings.origin(SETTING);
        let message = format!("{SETTING} {origin}: {}: {error}", named.display());
        Failure::new(Code::ConfigInvalid, message)
            .at(SETTING)
            .fix(fix(&error, named))
    })
}

/// A new key is offered only where none is overwritten: the old one may be all that opens the passwords.
fn fix(error: &io::Error, file: &Path) -> String {
    let file = file.display();
    match error.kind() {
        io::ErrorKind::NotFound => format!("openssl rand -base64 32 > {file}"),
        io::ErrorKind::InvalidData => {
            format!("restore {file}: what was sealed with its key is not opened by another one")
        }
        _ => format!("let the worker read {file}"),
    }
}

fn read(file: &Path) -> io::Result<SealKey> {
    let text = fs::read_to_string(file)?;
    SealKey::parse(&text)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is not 32 bytes in base64"))
}

/// The key is durable before anything is sealed with it.
fn make(folder: &Path, file: &Path) -> io::Result<SealKey> {
    let (key, begun) = (SealKey::generate(), file.with_extension("new"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let mut written = options.mode(ONLY_OWNER).open(&begun)?;
    written.write_all(key.reveal().as_bytes())?;
    written.sync_all()?;
    fs::rename(&begun, file)?;
    File::open(folder)?.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layers, set_options};

    fn refused(file: &Path) -> Failure {
        let options = [format!("{SETTING}={}", file.display())];
        let layers = Layers::merge([set_options(&options).unwrap()]).unwrap();
        load(&Settings::read(&layers).unwrap()).unwrap_err()
    }

    #[test]
    fn a_new_key_is_offered_only_where_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let missing = refused(&file).fix.unwrap();
        assert!(missing.starts_with("openssl rand"), "{missing}");
        for damaged in [&b"c2hvcnQ="[..], b"", b"\xff\xfe"] {
            fs::write(&file, damaged).unwrap();
            let damaged = refused(&file).fix.unwrap();
            assert!(damaged.starts_with("restore "), "{damaged}");
        }
        let folder = refused(folder.path()).fix.unwrap();
        assert!(folder.starts_with("let the worker read "), "{folder}");
    }
}
