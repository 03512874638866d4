//! May this plugin touch this file?
//!
//! Naming a file or a glob in a config grants the regular files of its directory: reading to a
//! source; the file itself and its sidecars to a sink. The worker's data directory is never granted.
//!
//! A name is resolved on the disk before it is compared, so that neither `..` nor a symbolic link
//! leads out. Between the check and the use another process of the machine could exchange a file for
//! a link; a guest cannot, because the capability makes no links and the data it is given names
//! no handles but its own.

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};

use longshore_disk::{Disk, Kind, Metadata};

use crate::Error;
use crate::glob::{Pattern, split};

/// A sidecar's name is the file's name and this, and perhaps a dot and more: `out.txt.longshore`,
/// `out.txt.longshore.new`.
pub const SIDECAR_SUFFIX: &str = ".longshore";

/// What a config key grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To read all regular files of the directory that is named.
    Read,
    /// To read and write the file that is named, and its sidecars.
    Write,
}

/// Everything that one task may touch.
#[derive(Clone, Debug)]
pub struct FilesGrant {
    working_dir: PathBuf,
    data_dir: PathBuf,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    /// Absolute, as the config spells it.
    dir: PathBuf,
    names: Names,
}

#[derive(Clone, Debug)]
enum Names {
    /// Any, for reading.
    All,
    /// This file and its sidecars, for reading and writing.
    File(String),
}

/// A name that was resolved and may be used.
#[derive(Debug)]
pub(crate) struct Granted {
    /// Absolute, without symbolic links.
    pub(crate) path: PathBuf,
    /// The regular file that stands there.
    pub(crate) found: Option<Metadata>,
}

impl FilesGrant {
    /// Grants nothing yet. Relative paths stand against `working_dir`; nothing in `data_dir` is ever
    /// granted.
    #[must_use]
    pub fn new(working_dir: PathBuf, data_dir: &Path) -> Self {
        Self {
            data_dir: working_dir.join(data_dir),
            working_dir,
            rules: Vec::new(),
        }
    }

    /// Grants what the value of a config key names: a path or, to read, a glob.
    ///
    /// # Errors
    /// When it is neither.
    pub fn name(&mut self, access: Access, path_or_glob: &str) -> Result<(), Error> {
        let (dir, names) = match access {
            Access::Read => (Pattern::parse(path_or_glob)?.dir, Names::All),
            Access::Write => {
                let (dir, name) = split(path_or_glob)?;
                let name = name.to_str().expect("a part of text is text");
                (dir.to_owned(), Names::File(name.to_owned()))
            }
        };
        let dir = self.working_dir.join(dir);
        self.rules.push(Rule { dir, names });
        Ok(())
    }

    /// Resolves the path of a file that is there or not.
    pub(crate) fn resolve(
        &self,
        disk: &dyn Disk,
        text: &str,
        access: Access,
    ) -> Result<Granted, Error> {
        let (dir, name) = split(text)?;
        let asked = Asked { text, access };
        let dir = self.resolve_dir(disk, dir, asked)?;
        if !self.allows(disk, &dir, name, access) {
            return Err(asked.not_granted());
        }
        let path = dir.join(name);
        let real = match disk.canonicalize(&path) {
            Ok(real) => real,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Ok(Granted { path, found: None });
            }
            Err(e) => return Err(Error::io("resolve", Path::new(text), e)),
        };
        if real != path {
            // Before the rules: one of them may name the data directory.
            if self.is_in_data_dir(disk, &real) {
                return Err(asked.in_data_dir());
            }
            if !self.allows_real(disk, &real, access) {
                let path = text.to_owned();
                return Err(Error::LeadsOut { path });
            }
        }
        let found = disk
            .metadata(&real)
            .map_err(|e| Error::io("stat", Path::new(text), e))?;
        regular(text, &found)?;
        Ok(Granted {
            path: real,
            found: Some(found),
        })
    }

    /// Resolves a directory whose files are to be listed.
    pub(crate) fn resolve_list(
        &self,
        disk: &dyn Disk,
        text: &str,
        dir: &Path,
    ) -> Result<PathBuf, Error> {
        let asked = Asked {
            text,
            access: Access::Read,
        };
        let dir = self.resolve_dir(disk, dir, asked)?;
        let any = |rule: &Rule| matches!(rule.names, Names::All) && rule.stands_for(disk, &dir);
        if self.rules.iter().any(any) {
            Ok(dir)
        } else {
            Err(asked.not_granted())
        }
    }

    fn resolve_dir(&self, disk: &dyn Disk, dir: &Path, asked: Asked<'_>) -> Result<PathBuf, Error> {
        let dir = self.working_dir.join(dir);
        let spelled_so = self.rules.iter().any(|rule| rule.dir == dir);
        if !spelled_so && dir.components().any(|part| part == Component::ParentDir) {
            let path = asked.text.to_owned();
            return Err(Error::Climbs { path });
        }
        let real = match disk.canonicalize(&dir) {
            Ok(real) => real,
            // Whether a directory exists is itself told only about granted ones.
            Err(e) if spelled_so => return Err(Error::io("resolve", &dir, e)),
            Err(_) => return Err(asked.not_granted()),
        };
        if self.is_in_data_dir(disk, &real) {
            return Err(asked.in_data_dir());
        }
        Ok(real)
    }

    fn is_in_data_dir(&self, disk: &dyn Disk, real: &Path) -> bool {
        let data_dir = disk.canonicalize(&self.data_dir);
        real.starts_with(data_dir.as_ref().unwrap_or(&self.data_dir))
    }

    fn allows_real(&self, disk: &dyn Disk, real: &Path, access: Access) -> bool {
        match (real.parent(), real.file_name()) {
            (Some(dir), Some(name)) => self.allows(disk, dir, name, access),
            _ => false,
        }
    }

    fn allows(&self, disk: &dyn Disk, dir: &Path, name: &OsStr, access: Access) -> bool {
        self.rules.iter().any(|rule| {
            let name_granted = match &rule.names {
                Names::All => access == Access::Read,
                Names::File(file) => is_file_or_sidecar(file, name),
            };
            name_granted && rule.stands_for(disk, dir)
        })
    }
}

impl Rule {
    /// Whether the rule's directory is that one, which is absolute and without links.
    fn stands_for(&self, disk: &dyn Disk, dir: &Path) -> bool {
        disk.canonicalize(&self.dir).is_ok_and(|real| real == dir)
    }
}

#[derive(Clone, Copy)]
struct Asked<'a> {
    text: &'a str,
    access: Access,
}

impl Asked<'_> {
    fn in_data_dir(self) -> Error {
        let path = self.text.to_owned();
        Error::DataDirectory { path }
    }

    fn not_granted(self) -> Error {
        Error::NotGranted {
            path: self.text.to_owned(),
            needs: match self.access {
                Access::Read => "a file or a glob in its directory",
                Access::Write => "it",
            },
        }
    }
}

fn is_file_or_sidecar(file: &str, name: &OsStr) -> bool {
    let rest = name.to_str().and_then(|name| name.strip_prefix(file));
    match rest.map(|rest| rest.strip_prefix(SIDECAR_SUFFIX).ok_or(rest)) {
        Some(Ok(sidecar)) => sidecar.is_empty() || sidecar.starts_with('.'),
        Some(Err(rest)) => rest.is_empty(),
        None => false,
    }
}

fn regular(text: &str, found: &Metadata) -> Result<(), Error> {
    let what = match found.kind {
        Kind::File => return Ok(()),
        Kind::Directory => "a directory",
        Kind::Other => "a pipe, a device or a socket",
    };
    Err(Error::NotRegular {
        path: text.to_owned(),
        what,
    })
}
