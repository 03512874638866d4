//! What copy-and-truncate leaves behind: a copy under a rotated name, of a file that was read already.
//!
//! While the file is whole, its copy repeats it and is left alone. Once the file was cut off, its copy
//! is read from where the file had been read to, so that nothing is lost and nothing comes twice.

use longshore_sdk::{Ctx, Fault};

use crate::offset::{WINDOW_BYTES, fingerprint};
use crate::tail::{Found, Origin, Place, Tail};

/// Marks fresh files that are copies of known ones, and known ones that were cut off. False when one
/// was cut off: its copy was made before that, but perhaps after the survey.
pub(crate) async fn recognise(ctx: &Ctx, tails: &mut [Tail]) -> Result<bool, Fault> {
    for fresh in 0..tails.len() {
        let tail = &tails[fresh];
        let is_fresh = tail.origin == Origin::Fresh && tail.place == Place::Rotated;
        if !is_fresh || tail.entry.stat.size == 0 {
            continue;
        }
        // A rename leaves another live file behind; beside one that was begun stands a copy, or
        // nothing that we know.
        for known in 0..tails.len() {
            let tail = &tails[known];
            let is_known = tail.origin == Origin::Known && tail.place == Place::Live;
            if !is_known || tail.filename != tails[fresh].filename {
                continue;
            }
            match tails[known].verify(ctx).await? {
                Found::Truncated => {
                    tails[known].cut_off = true;
                    return Ok(false);
                }
                Found::Moved => continue,
                Found::More | Found::End => {}
            }
            if repeats(ctx, tails, fresh, known).await? {
                tails[fresh].origin = Origin::Copy;
                break;
            }
            // Cut off since it was verified, it would not be found in its copy.
            if tails[known].verify(ctx).await? == Found::Truncated {
                tails[known].cut_off = true;
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Finds the copy of a file that was cut off: one that holds at the file's position what the file
/// held before it.
pub(crate) async fn copy_of(
    ctx: &Ctx,
    tails: &mut [Tail],
    cut: usize,
) -> Result<Option<usize>, Fault> {
    let offset = tails[cut].offset.clone();
    let bytes = offset.position.min(WINDOW_BYTES as u64);
    let at = offset.position - bytes;
    let bytes = u32::try_from(bytes).expect("at most the window");
    for other in 0..tails.len() {
        let candidate = &tails[other];
        let may_be = candidate.origin != Origin::Known && candidate.place == Place::Rotated;
        if !may_be || candidate.filename != tails[cut].filename {
            continue;
        }
        let window = tails[other].look(ctx, at, bytes).await?;
        let whole = window.len() == bytes as usize && tails[other].entry.stat.size > 0;
        if whole && offset.fingerprint == Some(fingerprint(&window)) {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

/// Whether a file repeats the beginning of another one: its own end is found there as well.
async fn repeats(ctx: &Ctx, tails: &mut [Tail], fresh: usize, known: usize) -> Result<bool, Fault> {
    // The other's size says nothing: it was listed earlier, and may have grown before it was copied.
    let size = tails[fresh].entry.stat.size;
    let bytes = size.min(WINDOW_BYTES as u64);
    let at = size - bytes;
    let bytes = u32::try_from(bytes).expect("at most the window");
    let ours = tails[fresh].look(ctx, at, bytes).await?;
    let theirs = tails[known].look(ctx, at, bytes).await?;
    Ok(!ours.is_empty() && ours == theirs)
}
