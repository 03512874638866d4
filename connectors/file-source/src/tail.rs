//! One file and how far it has been read.

use longshore_sdk::{Ctx, Fault, File, FileEntry};

use crate::lines::Lines;
use crate::offset::{Offset, Stored, WINDOW_BYTES, fingerprint, partition};

/// How much is read at once.
const PAGE_BYTES: u32 = 256 * 1024;

/// Where a file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Under no name that the config covers; an open handle may still reach it.
    Gone,
    /// Under a name of `file.rotated`.
    Rotated,
    /// Under a name of `file`.
    Live,
}

/// What is known about a file's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// It was read before, or is being read: its position means something.
    Known,
    /// Nothing of it was read.
    Fresh,
    /// It repeats the beginning of a known file: a copy, which is read only from where that file was
    /// cut off.
    Copy,
}

/// What an attempt to read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Bytes were added.
    More,
    /// Nothing new, and what was read is still there.
    End,
    /// The file does not hold any more what was read of it.
    Truncated,
    /// Another file, or none, stands at the path now.
    Moved,
}

pub(crate) struct Tail {
    pub(crate) partition: String,
    /// The name that rotated files and their successors share.
    pub(crate) filename: String,
    pub(crate) entry: FileEntry,
    pub(crate) place: Place,
    pub(crate) origin: Origin,
    pub(crate) offset: Offset,
    /// Whether the offset moved since it was last put into a batch.
    pub(crate) moved: bool,
    pub(crate) lines: Option<Lines>,
    /// Whether it was found cut off, and its copy is still to be looked for.
    pub(crate) cut_off: bool,
    /// Whether it is to be looked into whatever its size says.
    pub(crate) unsure: bool,
    /// Whether nothing will be added to it behind what the latest look was to find.
    pub(crate) last_look: bool,
    /// How far it was ever seen to go.
    seen: u64,
    file: Option<File>,
}

impl Tail {
    /// A file of which nothing was read.
    pub(crate) fn fresh(filename: String, entry: FileEntry, place: Place) -> Self {
        Self {
            partition: partition(&filename, &entry.stat.identity),
            filename,
            entry,
            place,
            origin: Origin::Fresh,
            offset: Offset::start(0),
            moved: false,
            lines: None,
            cut_off: false,
            unsure: false,
            last_look: false,
            seen: 0,
            file: None,
        }
    }

    /// A file with a stored position.
    pub(crate) fn stored(stored: &Stored, entry: FileEntry, place: Place) -> Self {
        Self {
            partition: stored.partition.clone(),
            filename: stored.filename.clone(),
            entry,
            place,
            origin: Origin::Known,
            offset: stored.offset.clone(),
            moved: false,
            lines: None,
            cut_off: false,
            // A live one may have been cut off and have grown again to where it was.
            unsure: place == Place::Live,
            last_look: false,
            seen: 0,
            file: None,
        }
    }

    /// What would find it again if it came back.
    pub(crate) fn to_stored(&self) -> Stored {
        Stored {
            partition: self.partition.clone(),
            filename: self.filename.clone(),
            identity: self.entry.stat.identity.clone(),
            offset: self.offset.clone(),
        }
    }

    /// Takes over what a listing says.
    pub(crate) fn found_at(&mut self, entry: &FileEntry, place: Place) {
        self.entry = entry.clone();
        self.place = place;
        self.last_look = false;
        self.seen = self.seen.max(entry.stat.size);
    }

    /// How far it was seen to go in this run; none where it was not looked into.
    pub(crate) fn seen(&self) -> Option<u64> {
        self.lines.as_ref().map(|lines| self.seen.max(lines.end()))
    }

    /// Up to where bytes were read.
    pub(crate) fn read_to(&self) -> u64 {
        match &self.lines {
            Some(lines) => lines.end(),
            None => self.offset.position,
        }
    }

    /// Whether it is known to hold more than was read or cut.
    pub(crate) fn has_more(&self) -> bool {
        let unscanned = self.lines.as_ref().is_some_and(Lines::has_unscanned);
        let more = self.unsure || unscanned || self.entry.stat.size != self.read_to();
        more && self.origin != Origin::Copy
    }

    /// Whether a last line without its end waits.
    pub(crate) fn has_rest(&self) -> bool {
        self.lines.as_ref().is_some_and(Lines::has_rest)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Gives the handle back; reading opens the file again.
    pub(crate) fn let_go(&mut self) {
        self.file = None;
    }

    /// Reads the next page behind what was read, and checks that this is still there.
    pub(crate) async fn read(&mut self, ctx: &Ctx) -> Result<Found, Fault> {
        let found = self.page(ctx, PAGE_BYTES).await?;
        if let (Found::End, Some(lines)) = (found, &mut self.lines) {
            // Whatever the listing said, nothing is left up to here.
            self.entry.stat.size = lines.end();
            self.unsure = false;
            lines.compact();
        }
        if found == Found::Moved {
            // Its new place turns up in the next survey; until then there is nothing to read.
            self.entry.stat.size = self.read_to();
            self.unsure = false;
        }
        Ok(found)
    }

    /// Checks that what was read is still there.
    pub(crate) async fn verify(&mut self, ctx: &Ctx) -> Result<Found, Fault> {
        self.page(ctx, 0).await
    }

    async fn page(&mut self, ctx: &Ctx, bytes: u32) -> Result<Found, Fault> {
        if !self.open(ctx).await? {
            return Ok(Found::Moved);
        }
        let file = self.file.as_ref().expect("it was just opened");
        if self.lines.is_none() {
            match resume(file, &self.offset).await? {
                Some(lines) => self.lines = Some(lines),
                None => return Ok(Found::Truncated),
            }
        }
        let lines = self.lines.as_mut().expect("it was just made");
        let overlap = lines.overlap();
        let at = lines.end() - overlap.len() as u64;
        let overlap_bytes = u32::try_from(overlap.len()).expect("at most the window");
        let page = file.read_at(at, overlap_bytes + bytes).await?;
        let Some(more) = page.strip_prefix(overlap) else {
            return Ok(Found::Truncated);
        };
        if more.is_empty() {
            return Ok(Found::End);
        }
        lines.add(more);
        self.origin = Origin::Known;
        self.entry.stat.size = self.entry.stat.size.max(lines.end());
        Ok(Found::More)
    }

    /// Opens the file unless it is open. False when another stands at its path.
    async fn open(&mut self, ctx: &Ctx) -> Result<bool, Fault> {
        if self.file.is_some() {
            return Ok(true);
        }
        let file = match ctx.files().open(&self.entry.path).await {
            Ok(file) => file,
            Err(fault) if fault.code == "file-not-found" => return Ok(false),
            Err(fault) => return Err(fault),
        };
        if file.stat().await?.identity != self.entry.stat.identity {
            return Ok(false);
        }
        self.file = Some(file);
        Ok(true)
    }

    /// At most `bytes` at an offset, to compare files; none when the file is elsewhere.
    pub(crate) async fn look(&mut self, ctx: &Ctx, at: u64, bytes: u32) -> Result<Vec<u8>, Fault> {
        if !self.open(ctx).await? {
            return Ok(Vec::new());
        }
        let file = self.file.as_ref().expect("it was just opened");
        file.read_at(at, bytes).await
    }

    /// Takes over how far the lines have been cut.
    pub(crate) fn settle(&mut self) {
        if let Some(lines) = &self.lines
            && lines.position() != self.offset.position
        {
            self.offset.position = lines.position();
            self.offset.fingerprint = Some(lines.fingerprint());
            self.moved = true;
        }
    }

    /// Begins the file again after it was cut off.
    pub(crate) fn begin_again(&mut self) {
        self.offset = Offset::start(self.offset.truncations + 1);
        self.seen = 0;
        self.cut_off = false;
        self.lines = Some(Lines::resume(0, Vec::new()));
        self.moved = true;
    }

    /// Goes on in a copy where the copied file was cut off.
    pub(crate) fn continue_from(&mut self, offset: &Offset) {
        self.offset.position = offset.position;
        self.offset.fingerprint = offset.fingerprint;
        self.lines = None;
        self.origin = Origin::Known;
        self.moved = true;
    }
}

/// The lines from an offset on; none when the file does not hold what stood before it.
async fn resume(file: &File, offset: &Offset) -> Result<Option<Lines>, Fault> {
    let window_bytes = offset.position.min(WINDOW_BYTES as u64);
    let at = offset.position - window_bytes;
    let bytes = u32::try_from(window_bytes).expect("at most the window");
    let window = file.read_at(at, bytes).await?;
    let whole = window.len() as u64 == window_bytes;
    let expected = offset.fingerprint.is_none_or(|f| f == fingerprint(&window));
    Ok((whole && expected).then(|| Lines::resume(offset.position, window)))
}
