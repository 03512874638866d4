//! Which files there are, and in which order they were written.

use std::cmp::Ordering;
use std::collections::HashSet;

use longshore_sdk::{Ctx, Fault, FileEntry};

use crate::tail::{Place, Tail};

/// Looks again at most this often while files are being renamed under it.
const LOOKS_MAX: usize = 5;

/// Endings of files that hold what another one held, compressed.
const COMPRESSED: [&str; 7] = [".gz", ".bz2", ".xz", ".zst", ".lz4", ".Z", ".zip"];

/// The files under names that the config covers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    pub(crate) live: Vec<FileEntry>,
    pub(crate) rotated: Vec<FileEntry>,
}

impl Survey {
    /// Lists the files. Looks again until two looks agree about who stands where: renames between
    /// two listings could hide a file, and its successor would be read before it.
    pub(crate) async fn take(ctx: &Ctx, file: &str, rotated: Option<&str>) -> Result<Self, Fault> {
        let mut survey = Self::look(ctx, file, rotated).await?;
        for _ in 1..LOOKS_MAX {
            let again = Self::look(ctx, file, rotated).await?;
            let agreed = survey.places().eq(again.places());
            survey = again;
            if agreed {
                break;
            }
        }
        Ok(survey)
    }

    async fn look(ctx: &Ctx, file: &str, rotated: Option<&str>) -> Result<Self, Fault> {
        let live = ctx.files().list(file).await?;
        let rotated = match rotated {
            Some(rotated) => ctx.files().list(rotated).await?,
            None => Vec::new(),
        };
        Ok(Self { live, rotated })
    }

    fn places(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all()
            .map(|e| (e.path.as_str(), e.stat.identity.as_str()))
    }

    /// All that was listed, for a wait to compare with.
    pub(crate) fn all(&self) -> impl Iterator<Item = &FileEntry> {
        self.live.iter().chain(&self.rotated)
    }

    /// The files to read, each once. One that the later listing found under another name was renamed
    /// in between, or has a link beside it; a name that both globs cover is live; what is compressed
    /// was read before it was.
    pub(crate) fn to_read(&self) -> Vec<(&FileEntry, Place)> {
        let live_paths: HashSet<&str> = self.live.iter().map(|e| e.path.as_str()).collect();
        let mut to_read: Vec<_> = self
            .rotated
            .iter()
            .filter(|e| !live_paths.contains(e.path.as_str()))
            .filter(|e| !COMPRESSED.iter().any(|ending| e.path.ends_with(ending)))
            .map(|e| (e, Place::Rotated))
            .collect();
        to_read.extend(self.live.iter().map(|e| (e, Place::Live)));
        let mut identities = HashSet::new();
        to_read.retain(|(e, _)| identities.insert(e.stat.identity.as_str()));
        to_read
    }

    /// The live name that a rotated one was made from: the longest that it begins with.
    pub(crate) fn base_of<'a>(&'a self, rotated: &'a str) -> &'a str {
        let live = self.live.iter().map(|e| e.path.as_str());
        let bases = live.filter(|live| rotated.starts_with(live));
        bases.max_by_key(|base| base.len()).unwrap_or_else(|| {
            let name = rotated.rfind('/').map_or(0, |at| at + 1);
            match rotated[name..].rfind('.') {
                Some(dot) if dot > 0 => &rotated[..name + dot],
                _ => rotated,
            }
        })
    }
}

/// Sorts by when the files were written: rotated ones before live ones, those whose reading has begun
/// before those that came after, older before younger. Where the clock does not tell, the numbers
/// that rotation gives do, in whichever direction they run here.
pub(crate) fn sort_oldest_first(tails: &mut [Tail]) {
    let upwards = numbers_run_upwards(tails);
    tails.sort_by(|a, b| {
        let by_time = |t: &Tail| (t.place == Place::Live, t.origin, t.entry.stat.modified_ms);
        by_time(a).cmp(&by_time(b)).then_with(|| {
            let (a, b) = (a.entry.path.as_str(), b.entry.path.as_str());
            match (number(a), number(b)) {
                (Some(a), Some(b)) if upwards => a.cmp(&b),
                (Some(a), Some(b)) => b.cmp(&a),
                _ => a.cmp(b),
            }
        })
    });
}

/// Whether a later file has the larger number (`app.log.1`, then `app.log.2`), and not the smaller
/// one, as logrotate's, which renames them all each time. The latter where nothing tells.
fn numbers_run_upwards(tails: &[Tail]) -> bool {
    let mut numbered: Vec<_> = tails
        .iter()
        .filter_map(|t| Some((t.entry.stat.modified_ms, number(&t.entry.path)?)))
        .collect();
    numbered.sort_unstable();
    let votes = numbered.windows(2).filter(|pair| pair[0].0 < pair[1].0);
    let votes = votes.map(|pair| match pair[0].1.cmp(&pair[1].1) {
        Ordering::Less => 1,
        Ordering::Equal => 0,
        Ordering::Greater => -1,
    });
    votes.sum::<i64>() > 0
}

/// The number at the end of a name, as rotation counts; dates are longer and sort by themselves.
fn number(path: &str) -> Option<u32> {
    let (_, ending) = path.rsplit_once(['.', '-', '_'])?;
    (ending.len() <= 5).then(|| ending.parse().ok())?
}

#[cfg(test)]
mod tests {
    use longshore_sdk::FileStat;

    use super::*;
    use crate::tail::Origin;

    fn entry(path: &str, modified_ms: i64) -> FileEntry {
        let stat = FileStat {
            identity: format!("{path}@{modified_ms}"),
            size: 1,
            modified_ms,
        };
        let path = path.to_owned();
        FileEntry { path, stat }
    }

    fn sorted(files: &[(&str, i64, Origin)]) -> Vec<String> {
        let mut tails: Vec<_> = files
            .iter()
            .map(|(path, modified_ms, origin)| {
                let place = if path.ends_with(".log") {
                    Place::Live
                } else {
                    Place::Rotated
                };
                let mut tail = Tail::fresh("a.log".to_owned(), entry(path, *modified_ms), place);
                tail.origin = *origin;
                tail
            })
            .collect();
        sort_oldest_first(&mut tails);
        tails.into_iter().map(|t| t.entry.path).collect()
    }

    #[test]
    fn older_files_come_first_and_the_live_one_last() {
        use Origin::{Fresh, Known};
        let check = |files: &[_], expected: &[&str]| assert_eq!(sorted(files), expected);
        check(
            &[
                ("a.log", 1, Known),
                ("a.log.1", 9, Fresh),
                ("a.log.2", 5, Fresh),
            ],
            &["a.log.2", "a.log.1", "a.log"],
        );
        // Within one tick of the clock logrotate's numbers tell.
        check(
            &[
                ("a.log.1", 5, Fresh),
                ("a.log.2", 5, Fresh),
                ("a.log.10", 5, Fresh),
            ],
            &["a.log.10", "a.log.2", "a.log.1"],
        );
        // Numbers that run upwards elsewhere run upwards here.
        check(
            &[
                ("a.log.3", 5, Fresh),
                ("a.log.2", 5, Fresh),
                ("a.log.1", 4, Fresh),
            ],
            &["a.log.1", "a.log.2", "a.log.3"],
        );
        // What was begun is finished first.
        check(
            &[("a.log.1", 5, Fresh), ("a.log.2", 7, Known)],
            &["a.log.2", "a.log.1"],
        );
        check(
            &[("a.log.20260102", 5, Fresh), ("a.log.20260101", 5, Fresh)],
            &["a.log.20260101", "a.log.20260102"],
        );
    }

    #[test]
    fn a_file_of_several_names_is_read_once() {
        let named = |path: &str, identity: &str| {
            let mut entry = entry(path, 1);
            identity.clone_into(&mut entry.stat.identity);
            entry
        };
        let survey = Survey {
            live: vec![
                named("/l/a.log", "1"),
                named("/l/b.log", "2"),
                named("/l/c.log", "2"),
            ],
            rotated: vec![named("/l/a.log.1", "1"), named("/l/a.log.2", "1")],
        };
        let to_read = survey.to_read();
        let to_read: Vec<_> = to_read.iter().map(|(e, p)| (e.path.as_str(), *p)).collect();
        let expected = [("/l/a.log.1", Place::Rotated), ("/l/b.log", Place::Live)];
        assert_eq!(to_read, expected);
    }

    #[test]
    fn a_rotated_file_belongs_to_the_longest_live_name_it_begins_with() {
        let survey = Survey {
            live: vec![entry("/l/a.log", 1), entry("/l/a.log.audit", 1)],
            rotated: Vec::new(),
        };
        assert_eq!(survey.base_of("/l/a.log.1"), "/l/a.log");
        assert_eq!(survey.base_of("/l/a.log.audit.1"), "/l/a.log.audit");
        assert_eq!(survey.base_of("/l.d/b.log.1"), "/l.d/b.log");
        assert_eq!(survey.base_of("/l.d/b"), "/l.d/b");
    }
}
