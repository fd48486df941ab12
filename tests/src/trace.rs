//! What a relay did to its data folder and what it said meanwhile, call by call: the records that
//! `faults/record.c` keeps, read back. The order of the records is the order of the calls.

use std::collections::BTreeMap;
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize as _;
use yingke_shared::frame::{Outcome, VisitorFrame};
use yingke_shared::ids::ClientId;

use crate::relay::TestRelay;

/// A file through all its names; numbers of the file system are used again, these are not.
pub type FileNumber = usize;

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// A file that was not there is opened under this name.
    Create(FileNumber, PathBuf),
    /// The bytes of the trace in this range are written at this place.
    Write(FileNumber, u64, Range<usize>),
    /// The file is cut or grown to this size.
    Cut(FileNumber, u64),
    /// The file is on the disk.
    Sync(FileNumber),
    /// The names in this folder are on the disk.
    SyncFolder(PathBuf),
    /// A name goes.
    Unlink(PathBuf),
    /// A name changes within its folder.
    Rename(PathBuf, PathBuf),
    /// A folder is made.
    MakeFolder(PathBuf),
    /// Something is about to be said to this socket: the bytes of the trace in this range.
    Say(u64, Range<usize>),
}

/// All calls, in order.
#[derive(Debug, Default)]
pub struct Trace {
    /// The calls.
    pub calls: Vec<Call>,
    /// The files that were there before the first call.
    pub before: BTreeMap<PathBuf, FileNumber>,
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

/// A recorder below a relay: where its records go.
pub struct Recorder {
    file: PathBuf,
    /// The files that are there already, by the file system's number.
    known: BTreeMap<u64, PathBuf>,
}

const HEAD: usize = 32;

impl Recorder {
    /// Compiles the library and puts it under every later start of the relay, its commands too.
    pub fn below(relay: &mut TestRelay) -> Result<Self> {
        let library = crate::faults::compile("record.c", relay.scratch())?;
        let root = relay.data_dir();
        let mut known = BTreeMap::new();
        if root.is_dir() {
            files_in(&root, &mut known)?;
        }
        let file = relay.scratch().join("trace");
        relay.set_environment("LD_PRELOAD", library.as_os_str());
        relay.set_environment("YINGKE_TRACE", file.as_os_str());
        relay.set_environment("YINGKE_TRACE_ROOT", root.as_os_str());
        Ok(Self { file, known })
    }

    /// How much has been recorded: whatever was seen from outside before this look is inside.
    pub fn size(&self) -> Result<u64> {
        Ok(std::fs::metadata(&self.file)?.len())
    }

    /// Everything recorded.
    pub fn finish(self) -> Result<Trace> {
        Trace::parse(std::fs::read(&self.file)?, &self.known)
    }
}

fn files_in(folder: &Path, into: &mut BTreeMap<u64, PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let about = std::fs::metadata(&path)?;
        if about.is_dir() {
            files_in(&path, into)?;
        } else {
            into.insert(about.ino(), path);
        }
    }
    Ok(())
}

impl Trace {
    fn parse(bytes: Vec<u8>, known: &BTreeMap<u64, PathBuf>) -> Result<Self> {
        let mut trace = Self::default();
        let mut numbers: BTreeMap<u64, FileNumber> = BTreeMap::new();
        for (inode, path) in known {
            let number = trace.before.len();
            trace.before.insert(path.clone(), number);
            numbers.insert(*inode, number);
        }
        let mut next = trace.before.len();
        let mut at = 0;
        while at < bytes.len() {
            let number = |from: usize| -> Result<u64> {
                let field = bytes.get(at + from..at + from + 8).context("a torn record")?;
                Ok(u64::from_le_bytes(field.try_into()?))
            };
            let (inode, place) = (number(8)?, number(16)?);
            let first = usize::try_from(number(0)? >> 32)?;
            let second = usize::try_from(number(24)?)?;
            let names = at + HEAD;
            let data = names + first..names + first + second;
            ensure!(data.end <= bytes.len(), "a torn record");
            let text = |range: Range<usize>| -> Result<PathBuf> {
                Ok(PathBuf::from(std::str::from_utf8(&bytes[range])?))
            };
            let path = || text(names..names + first);
            let file = |numbers: &BTreeMap<u64, FileNumber>| {
                numbers.get(&inode).copied().context("a call on a file that nobody created")
            };
            trace.calls.push(match bytes[at] {
                b'C' => {
                    numbers.insert(inode, next);
                    next += 1;
                    Call::Create(next - 1, path()?)
                }
                b'w' => Call::Write(file(&numbers)?, place, data.clone()),
                b't' => Call::Cut(file(&numbers)?, place),
                b's' => Call::Sync(file(&numbers)?),
                b'd' => Call::SyncFolder(path()?),
                b'u' => Call::Unlink(path()?),
                b'r' => Call::Rename(path()?, text(data.clone())?),
                b'm' => Call::MakeFolder(path()?),
                b'n' => Call::Say(inode, data.clone()),
                other => {
                    bail!("the recorder does not know {} ({})", other as char, path()?.display())
                }
            });
            at = data.end;
            trace.ends.push(at);
        }
        trace.bytes = bytes;
        Ok(trace)
    }

    /// The bytes written or said by a call.
    #[must_use]
    pub fn data(&self, range: &Range<usize>) -> &[u8] {
        &self.bytes[range.clone()]
    }

    /// How many calls lie within the first `size` bytes of the trace.
    #[must_use]
    pub fn calls_within(&self, size: u64) -> usize {
        self.ends.partition_point(|end| *end as u64 <= size)
    }

    /// For each accepted message, the number of calls before the one that told its sender.
    pub fn told(&self) -> Result<BTreeMap<ClientId, usize>> {
        const REPLY: &[u8] = b"{\"type\":\"reply\"";
        let mut told = BTreeMap::new();
        let mut unread: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        for (before, call) in self.calls.iter().enumerate() {
            let Call::Say(socket, said) = call else { continue };
            let heard = unread.entry(*socket).or_default();
            heard.extend_from_slice(self.data(said));
            let mut from = 0;
            while let Some(start) = find(&heard[from..], REPLY) {
                from += start;
                let mut text = serde_json::Deserializer::from_slice(&heard[from..]);
                match VisitorFrame::deserialize(&mut text) {
                    Ok(VisitorFrame::Reply(reply)) => {
                        if matches!(reply.ok, Some(Outcome::Accepted { .. })) {
                            told.entry(reply.id).or_insert(before);
                        }
                        from += REPLY.len();
                    }
                    Ok(_) => from += REPLY.len(),
                    // The rest of it comes with the next call.
                    Err(error) if error.is_eof() => break,
                    Err(_) => from += REPLY.len(),
                }
            }
            if find(&heard[from..], REPLY).is_none() {
                // What may be the beginning of one stays.
                from = from.max(heard.len().saturating_sub(REPLY.len()));
            }
            heard.drain(..from);
        }
        Ok(told)
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
