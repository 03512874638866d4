//! The source: which file is read next, and what goes into a batch.

use std::collections::HashSet;
use std::collections::hash_map::{Entry, HashMap};

use longshore_sdk::{
    BatchWriter, Ctx, Fault, FileEntry, Level, PollLimits, Polled, Problem, Source, SourcePosition,
    TaskContext, Wake,
};

use crate::config::FileSourceConfig;
use crate::copies;
use crate::filling::{Filling, cut_lines};
use crate::names::{base_name, differ_in_device};
use crate::offset::Stored;
use crate::progress::{Gap, Gaps, status};
use crate::survey::{Survey, sort_oldest_first};
use crate::tail::{Found, Origin, Place, Tail};

/// Files that are kept open at a time, below what the host allows.
const OPEN_FILES: usize = 128;

/// Files without a name that are kept at most for the end of their last line.
const UNFINISHED_MAX: usize = 16;

/// The status is shown before each wait, and while there is none after so many polls.
const POLLS_PER_STATUS: u64 = 64;

/// How long a wait goes on without looking again.
const WAIT_MS: u64 = 60_000;

/// Lines of files to records.
pub struct FileSource {
    config: FileSourceConfig,
    rotated: Option<String>,
    /// Positions of files that have not turned up yet.
    stored: HashMap<String, Stored>,
    listed: Vec<FileEntry>,
    /// Whether the last survey was finished: before that a copy may look like a new file.
    surveyed: bool,
    /// Whether that was in this poll.
    just_surveyed: bool,
    /// Oldest first.
    tails: Vec<Tail>,
    /// The file whose turn it is.
    turn: usize,
    gaps: Gaps,
    polls: u64,
}

impl Source for FileSource {
    type Config = FileSourceConfig;

    async fn validate(ctx: &Ctx, config: FileSourceConfig) -> Vec<Problem> {
        let rotated = config.rotated_pattern().map(|_| ());
        let listed = ctx.files().list(&config.file).await.map(|_| ());
        let listed = listed.map_err(|fault| match fault.detail("key") {
            Some(_) => fault,
            None => fault.with("key", "file"),
        });
        let problems = [rotated, listed].into_iter().filter_map(Result::err);
        problems.map(Problem::from).collect()
    }

    async fn open(
        ctx: &Ctx,
        _task: TaskContext,
        config: FileSourceConfig,
        positions: Vec<SourcePosition>,
    ) -> Result<Self, Fault> {
        let mut stored = HashMap::<String, Stored>::new();
        for position in &positions {
            let position = Stored::parse(position)?;
            match stored.entry(position.identity.clone()) {
                // What was stored under two names is one file, and was read as far as under the better.
                Entry::Occupied(other) if !other.get().offset.is_behind(&position.offset) => {}
                entry => drop(entry.insert_entry(position)),
            }
        }
        let mut source = Self {
            rotated: config.rotated_pattern()?,
            config,
            stored,
            listed: Vec::new(),
            surveyed: false,
            just_surveyed: false,
            tails: Vec::new(),
            turn: 0,
            gaps: Gaps::default(),
            polls: 0,
        };
        source.survey(ctx).await?;
        Ok(source)
    }

    async fn poll(&mut self, ctx: &Ctx, limits: PollLimits) -> Result<Polled, Fault> {
        self.polls += 1;
        self.just_surveyed = false;
        if self.polls.is_multiple_of(POLLS_PER_STATUS) {
            ctx.progress(&status(&self.tails, &self.gaps));
        }
        let mut batch = Filling::new(&self.config, limits)?;
        loop {
            if !self.surveyed {
                self.survey(ctx).await?;
            }
            match self.fill(ctx, &mut batch).await {
                // What was read before the fault is good; the fault comes again at the next poll.
                Err(_) if batch.writer.rows() > 0 => break,
                filled => filled?,
            }
            self.put_positions(&mut batch.writer)?;
            if !batch.writer.is_empty() || batch.pages_left == 0 {
                break;
            }
            if self.surveyed {
                ctx.progress(&status(&self.tails, &self.gaps));
                // The host limits a call's CPU time, so each look gets a call of its own.
                if self.wait_change(ctx).await? == Wake::Ready {
                    self.surveyed = false;
                }
                break;
            }
        }
        self.put_positions(&mut batch.writer)?;
        Polled::batch(batch.writer)
    }

    async fn alter_offsets(
        _ctx: &Ctx,
        _config: FileSourceConfig,
        positions: Vec<SourcePosition>,
    ) -> Result<bool, Fault> {
        for position in &positions {
            Stored::parse(position)?;
        }
        Ok(true)
    }
}

impl FileSource {
    /// Fills the batch from the files in their order: what was rotated away before what is live,
    /// and live files in turns.
    async fn fill(&mut self, ctx: &Ctx, batch: &mut Filling) -> Result<(), Fault> {
        while batch.room().is_some() && batch.pages_left > 0 {
            let Some(next) = self.next_tail() else {
                return Ok(());
            };
            // Where nothing was read, nothing tells that the file was cut off; but its copy would show.
            let tail = &self.tails[next];
            if tail.place == Place::Live && tail.read_to() == 0 && !self.just_surveyed {
                self.surveyed = false;
                return Ok(());
            }
            self.turn = next + 1;
            self.make_room_for_open_file(next);
            match self.read_tail(ctx, batch, next).await? {
                Read::BatchFull => return Ok(()),
                Read::NoMore => {}
                // Nothing may be read before it, so its new place or its copy has to be found first.
                Read::Elsewhere => {
                    self.surveyed = false;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The next file that has something to read.
    fn next_tail(&self) -> Option<usize> {
        let ready = |i: &usize| {
            self.tails[*i].has_more() || self.tails[*i].has_rest() && self.has_ended(*i)
        };
        let n_old = self.tails.partition_point(|tail| tail.place != Place::Live);
        let mut old = 0..n_old;
        let turn = self.turn.clamp(n_old, self.tails.len());
        let mut live = (turn..self.tails.len()).chain(n_old..turn);
        old.find(ready).or_else(|| live.find(ready))
    }

    /// Whether nothing more will be added to a file: it was rotated away, and its successor has
    /// content already. (An empty one is made before the writer has moved to it.)
    fn has_ended(&self, at: usize) -> bool {
        let tail = &self.tails[at];
        let succeeds = |other: &Tail| {
            let content = other.entry.stat.size > 0 || other.offset.truncations > 0;
            other.filename == tail.filename && other.origin != Origin::Copy && content
        };
        tail.place != Place::Live && self.tails[at + 1..].iter().any(succeeds)
    }

    /// Reads one file until the batch is full or the file has no more.
    async fn read_tail(
        &mut self,
        ctx: &Ctx,
        batch: &mut Filling,
        at: usize,
    ) -> Result<Read, Fault> {
        let source = batch.writer.source(&self.tails[at].partition)?;
        loop {
            let full = cut_lines(&mut self.tails[at], batch, source, false)?;
            if full || batch.pages_left == 0 {
                return Ok(Read::BatchFull);
            }
            let found = self.tails[at].read(ctx).await?;
            // Looks into what is gone come again with each survey and before all else: if they took
            // the pages, a new live file, which is read right after a survey, might never have one.
            if found == Found::More || self.tails[at].place != Place::Gone {
                batch.pages_left -= 1;
            }
            match found {
                Found::More => {}
                Found::Moved => return Ok(Read::Elsewhere),
                Found::Truncated => {
                    self.tails[at].cut_off = true;
                    return Ok(Read::Elsewhere);
                }
                Found::End => {
                    let finished = self.tails[at].has_rest() && self.has_ended(at);
                    if finished && cut_lines(&mut self.tails[at], batch, source, true)? {
                        return Ok(Read::BatchFull);
                    }
                    return Ok(Read::NoMore);
                }
            }
        }
    }

    /// Begins a file again that was cut off, and goes on with the rest of it in its copy.
    fn begin_again(&mut self, ctx: &Ctx, cut: usize, copy: Option<usize>) {
        let tail = &mut self.tails[cut];
        let (offset, seen) = (tail.offset.clone(), tail.seen());
        tail.begin_again();
        let (file, at) = (tail.entry.path.clone(), offset.position.to_string());
        let fields = [("file", file.as_str()), ("offset", at.as_str())];
        if let Some(copy) = copy {
            ctx.log(
                Level::Info,
                "file was cut off; going on in its copy",
                &fields,
            );
            self.tails[copy].continue_from(&offset);
        } else if seen == Some(offset.position) {
            ctx.log(
                Level::Info,
                "file was cut off behind what was read",
                &fields,
            );
        } else {
            ctx.log(
                Level::Warn,
                "file was cut off before it was read to its end",
                &fields,
            );
            self.gaps.add(Gap {
                filename: file,
                identity: self.tails[cut].entry.stat.identity.clone(),
                from: offset.position,
                to: seen,
            });
        }
    }

    /// Puts into the batch how far files have been read.
    fn put_positions(&mut self, writer: &mut BatchWriter) -> Result<(), Fault> {
        for tail in &mut self.tails {
            tail.settle();
            if std::mem::take(&mut tail.moved) {
                let source = writer.source(&tail.partition)?;
                writer.position(source, tail.offset.to_position());
            }
        }
        Ok(())
    }

    async fn wait_change(&self, ctx: &Ctx) -> Result<Wake, Fault> {
        let file = self.config.file.as_str();
        let patterns: Vec<&str> = [file].into_iter().chain(self.rotated.as_deref()).collect();
        ctx.files()
            .wait_change(&patterns, &self.listed, WAIT_MS)
            .await
    }

    /// Looks which files there are now.
    async fn survey(&mut self, ctx: &Ctx) -> Result<(), Fault> {
        self.surveyed = false;
        loop {
            let survey = Survey::take(ctx, &self.config.file, self.rotated.as_deref()).await?;
            self.listed = survey.all().cloned().collect();
            self.follow(&survey);
            self.give_up_unfinished();
            self.drop_what_is_gone(ctx);
            sort_oldest_first(&mut self.tails);
            while let Some(cut) = self.tails.iter().position(|tail| tail.cut_off) {
                let copy = copies::copy_of(ctx, &mut self.tails, cut).await?;
                self.begin_again(ctx, cut, copy);
                sort_oldest_first(&mut self.tails);
            }
            if copies::recognise(ctx, &mut self.tails).await? {
                break;
            }
        }
        if self.listed.is_empty() {
            ctx.log(
                Level::Info,
                "no such file yet; waiting for it",
                &[("file", &self.config.file)],
            );
        }
        self.surveyed = true;
        self.just_surveyed = true;
        Ok(())
    }

    /// Matches what was listed with the files that are being read, by identity.
    fn follow(&mut self, survey: &Survey) {
        let n_before = self.tails.len();
        let tails = self.tails.iter().enumerate();
        let mut known: HashMap<String, usize> = tails
            .map(|(at, tail)| (tail.entry.stat.identity.clone(), at))
            .collect();
        let mut found = HashSet::new();
        for (entry, place) in survey.to_read() {
            let identity = &entry.stat.identity;
            if let Some(at) = known.get(identity) {
                self.tails[*at].found_at(entry, place);
                found.insert(*at);
            } else {
                known.insert(identity.clone(), self.tails.len());
                let tail = self.begin(survey, entry, place);
                self.tails.push(tail);
            }
        }
        for at in (0..n_before).filter(|at| !found.contains(at)) {
            self.look_at_gone(at);
        }
    }

    /// A file that turned up: where it was read to before, if it was.
    fn begin(&mut self, survey: &Survey, entry: &FileEntry, place: Place) -> Tail {
        let identity = &entry.stat.identity;
        if let Some(stored) = self.stored.remove(identity) {
            return Tail::stored(&stored, entry.clone(), place);
        }
        let filename = base_name(match place {
            Place::Rotated if self.config.is_glob() => survey.base_of(&entry.path),
            Place::Rotated => &self.config.file,
            Place::Live | Place::Gone => &entry.path,
        });
        let elsewhere = self.stored.values().filter(|stored| {
            stored.filename == filename && differ_in_device(&stored.identity, identity)
        });
        let furthest = elsewhere.reduce(|a, b| if a.offset.is_behind(&b.offset) { b } else { a });
        let Some(stored) = furthest.map(|stored| stored.identity.clone()) else {
            return Tail::fresh(filename, entry.clone(), place);
        };
        let stored = self.stored.remove(&stored).expect("it was just found");
        let mut tail = Tail::stored(&stored, entry.clone(), place);
        // Its fingerprint has the last word.
        tail.unsure = true;
        tail
    }

    /// Looks again into a file that has lost its name, while its writer may add to it, and once more
    /// after that.
    fn look_at_gone(&mut self, at: usize) {
        let was_gone = self.tails[at].place == Place::Gone;
        let has_ended = was_gone && (self.has_ended(at) || !self.awaits_successor(at));
        let tail = &mut self.tails[at];
        tail.place = Place::Gone;
        if !tail.last_look {
            tail.unsure = tail.is_open();
            tail.last_look = has_ended;
        }
    }

    /// Whether a file that was moved away may get a successor. Of a glob's files, which may have
    /// names that do not come again, only those whose successor is there, if empty.
    fn awaits_successor(&self, at: usize) -> bool {
        let filename = &self.tails[at].filename;
        let live = |tail: &Tail| tail.place == Place::Live && tail.filename == *filename;
        !self.config.is_glob() || self.tails.iter().any(live)
    }

    /// Lets go of the oldest of those files whose last line has no end and whose writer is gone.
    fn give_up_unfinished(&mut self) {
        let is_unfinished =
            |t: &Tail| t.place == Place::Gone && t.is_open() && t.has_rest() && !t.has_more();
        let n = self.tails.iter().filter(|t| is_unfinished(t)).count();
        let unfinished = self.tails.iter_mut().filter(|t| is_unfinished(t));
        for tail in unfinished.take(n.saturating_sub(UNFINISHED_MAX)) {
            tail.let_go();
        }
    }

    /// Forgets files that no name and no handle reaches any more.
    fn drop_what_is_gone(&mut self, ctx: &Ctx) {
        let (gone, kept) = std::mem::take(&mut self.tails)
            .into_iter()
            .partition(|tail| {
                let unread = tail.has_more() || tail.has_rest();
                tail.place == Place::Gone && !tail.moved && !(tail.is_open() && unread)
            });
        self.tails = kept;
        let gone: Vec<Tail> = gone;
        for tail in gone {
            if tail.has_more() || tail.has_rest() {
                let (file, at) = (tail.entry.path.as_str(), tail.offset.position.to_string());
                let fields = [("file", file), ("offset", at.as_str())];
                ctx.log(
                    Level::Warn,
                    "file vanished before it was read to its end",
                    &fields,
                );
                self.gaps.add(Gap {
                    filename: file.to_owned(),
                    identity: tail.entry.stat.identity.clone(),
                    from: tail.offset.position,
                    to: Some(tail.entry.stat.size),
                });
            }
            let stored = tail.to_stored();
            self.stored.insert(stored.identity.clone(), stored);
        }
    }

    fn make_room_for_open_file(&mut self, next: usize) {
        let open = self.tails.iter().filter(|tail| tail.is_open()).count();
        if open < OPEN_FILES || self.tails[next].is_open() {
            return;
        }
        let idle = self.tails.iter_mut();
        let idle = idle.filter(|tail| tail.is_open() && !tail.has_more());
        // Without a name it cannot be opened again, so what it may still get is a gap.
        let least = idle.min_by_key(|tail| match tail.place {
            Place::Gone if tail.last_look && !tail.has_rest() => 0,
            Place::Rotated | Place::Live => 1,
            Place::Gone => 2,
        });
        if let Some(least) = least {
            least.let_go();
        }
    }
}

/// How reading a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    BatchFull,
    NoMore,
    Elsewhere,
}
