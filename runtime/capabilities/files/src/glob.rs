//! A path whose last part may be a glob.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use crate::Error;

/// Longest path or glob, as on Linux.
pub(crate) const PATH_BYTES_MAX: usize = 4096;

/// Checks text as a path of a file: a directory, and a name.
pub(crate) fn split(text: &str) -> Result<(&Path, &OsStr), Error> {
    let bad = |reason: &str| Error::BadPath {
        pattern: text.to_owned(),
        reason: reason.to_owned(),
    };
    if text.is_empty() {
        return Err(bad("it is empty"));
    }
    if text.len() > PATH_BYTES_MAX {
        return Err(bad("it is longer than 4096 bytes"));
    }
    if text.contains('\0') {
        return Err(bad("it contains a null byte"));
    }
    if text.ends_with('/') {
        return Err(bad("it names a directory"));
    }
    let path = Path::new(text);
    let name = path.file_name().ok_or_else(|| bad("it has no file name"))?;
    Ok((path.parent().unwrap_or(Path::new("")), name))
}

/// Which names of a directory are meant.
#[derive(Clone, Debug)]
pub(crate) enum Names {
    One(String),
    Matching(GlobMatcher),
}

/// A directory as it was spelled, and names in it.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(crate) dir: PathBuf,
    pub(crate) names: Names,
}

impl Pattern {
    /// Reads a path or a glob. Only the last part may hold wildcards: a grant is for one directory.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let (dir, name) = split(text)?;
        let bad = |reason: String| Error::BadPath {
            pattern: text.to_owned(),
            reason,
        };
        if dir.to_string_lossy().contains(['*', '?']) {
            return Err(bad("only its last part may hold wildcards".to_owned()));
        }
        let name = name.to_str().expect("a part of text is text");
        let names = if name.contains(is_wildcard) {
            let glob = GlobBuilder::new(name).backslash_escape(true).build();
            let glob = glob.map_err(|e| bad(e.kind().to_string()))?;
            Names::Matching(glob.compile_matcher())
        } else {
            Names::One(name.to_owned())
        };
        Ok(Self {
            dir: dir.to_owned(),
            names,
        })
    }
}

fn is_wildcard(c: char) -> bool {
    matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\')
}
