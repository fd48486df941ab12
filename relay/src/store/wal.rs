//! Whether the write-ahead log that a relay left behind is whole.
//!
//! The engine reads it up to the first frame whose sum is wrong and takes that for its end: right after
//! a power loss, where the last commit may be half there. But a bit that flipped in the middle would
//! silently take every later commit away. The two can be told apart: each commit is synced before
//! the next is written, so a wrong frame with a later *commit* behind it was once right. Sums go on
//! from frame to frame, and each frame holds its own, so frames behind the wrong one can be verified.
//!
//! What cannot be told from a power loss is a flipped bit in the very last commit.

use std::path::Path;

const HEADER: usize = 32;
const FRAME: usize = 24;
/// The magic number's last bit says in which order of bytes sums are made.
const MAGIC: u32 = 0x377f_0682;

type Sums = (u32, u32);

/// A frame of the log, as far as it matters here.
struct Frame {
    /// Its salts are the header's, and its sum goes on from the one before.
    is_sound: bool,
    /// It ends a commit.
    is_commit: bool,
}

/// Where the log is broken: the number of the first wrong frame, from 1, or 0 for its head. None if it
/// is whole, torn as by a power loss, or not there.
pub(super) fn broken_at(path: &Path) -> std::io::Result<Option<usize>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(broken_in(&bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn broken_in(bytes: &[u8]) -> Option<usize> {
    if bytes.len() <= HEADER {
        return None;
    }
    let Some((frames, is_head_sound)) = frames(bytes) else { return Some(0) };
    if !is_head_sound {
        // The head is synced before there are frames, and rewritten within one sector.
        return Some(0);
    }
    let first = frames.iter().position(|frame| !frame.is_sound)?;
    let mut behind = frames.iter().skip(first);
    // The rest of the commit it belongs to; then anything sound is a later one.
    behind.find(|frame| frame.is_commit)?;
    behind.any(|frame| frame.is_sound).then_some(first + 1)
}

/// All frames, and whether the head is sound; none if the head's words make no sense.
fn frames(bytes: &[u8]) -> Option<(Vec<Frame>, bool)> {
    let word = |at: usize| -> Option<u32> {
        Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
    };
    let magic = word(0)?;
    if magic & !1 != MAGIC {
        return None;
    }
    let is_big = magic & 1 == 1;
    let page = usize::try_from(word(8)?).ok()?;
    if !page.is_power_of_two() || !(512..=65_536).contains(&page) {
        return None;
    }
    let stored = |at: usize| -> Option<Sums> { Some((word(at)?, word(at.checked_add(4)?)?)) };
    let salts = stored(16)?;
    let head = stored(24)?;
    let is_head_sound = sums((0, 0), bytes.get(..24)?, is_big) == head;
    let mut frames = Vec::new();
    let mut before = head;
    let mut at = HEADER;
    while let Some(data) = bytes.get(at + FRAME..at + FRAME + page) {
        let found = sums(sums(before, bytes.get(at..at + 8)?, is_big), data, is_big);
        let own = stored(at + 16)?;
        let is_sound = stored(at + 8)? == salts && found == own;
        frames.push(Frame { is_sound, is_commit: word(at + 4)? != 0 });
        before = own;
        at += FRAME + page;
    }
    Some((frames, is_head_sound))
}

/// The engine's sums of a stretch, going on from `before`.
fn sums(before: Sums, bytes: &[u8], is_big: bool) -> Sums {
    let word = |four: &[u8]| -> u32 {
        let four: [u8; 4] = four.try_into().unwrap_or_default();
        if is_big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    };
    let (mut one, mut two) = before;
    for pair in bytes.chunks_exact(8) {
        let (first, second) = pair.split_at(4);
        one = one.wrapping_add(word(first)).wrapping_add(two);
        two = two.wrapping_add(word(second)).wrapping_add(one);
    }
    (one, two)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The log of a database in which `commits` rows were stored one by one.
    fn log_of(commits: usize) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("any.db");
        let database = rusqlite::Connection::open(&path).unwrap();
        database.pragma_update(None, "journal_mode", "WAL").unwrap();
        database.execute_batch("CREATE TABLE t (text TEXT)").unwrap();
        for _ in 0..commits {
            database.execute("INSERT INTO t VALUES (hex(randomblob(3000)))", []).unwrap();
        }
        std::fs::read(folder.path().join("any.db-wal")).unwrap()
    }

    #[test]
    fn a_whole_log_a_short_one_and_none_are_fine() {
        let log = log_of(6);
        assert_eq!(broken_in(&log), None);
        assert_eq!(broken_in(&log[..HEADER]), None);
        assert_eq!(broken_in(&[]), None);
        assert_eq!(broken_at(Path::new("/nowhere/any.db-wal")).unwrap(), None);
    }

    #[test]
    fn a_flipped_bit_before_the_last_commits_is_found_wherever_it_is() {
        let log = log_of(8);
        let whole = frames(&log).unwrap().0;
        // All but the last two commits: a flip may make one commit of two.
        let ends: Vec<usize> = (0..whole.len()).filter(|frame| whole[*frame].is_commit).collect();
        let sure = HEADER + (ends[ends.len() - 3] + 1) * (FRAME + 4_096);
        for at in (0..sure).step_by(61).chain(0..HEADER).chain(HEADER..HEADER + FRAME) {
            let mut flipped = log.clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(broken_in(&flipped).is_some(), "byte {at}");
        }
    }

    #[test]
    fn what_a_power_loss_leaves_of_the_last_commit_is_its_end() {
        let log = log_of(5);
        let whole = frames(&log).unwrap().0;
        let last = whole.iter().rposition(|frame| frame.is_commit).unwrap();
        let first = whole[..last].iter().rposition(|frame| frame.is_commit).unwrap() + 1;
        for frame in first..=last {
            let mut torn = log.clone();
            let at = HEADER + frame * (FRAME + 4_096) + 1_000;
            torn[at..at + 512].fill(0xA5);
            assert_eq!(broken_in(&torn), None, "frame {frame}");
            assert_eq!(broken_in(&log[..at]), None, "frame {frame}");
        }
    }
}
