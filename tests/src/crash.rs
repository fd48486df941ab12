//! A disk that loses its power. It is fed the calls of a [`Trace`] and keeps apart what was synced and
//! what was only written; at any moment it can be asked what it might hold after a power loss: all that
//! was synced, and of the rest any part. Writes are torn at sectors and come in any order, sizes and
//! contents part ways, names (created, renamed, removed) last only by a sync of their folder.
//!
//! What it grants: a write does not damage bytes around it, a sector is written whole or not at all,
//! and of the pending changes of names of one folder those that last do so in their order.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::chance::Chance;
use crate::trace::{Call, FileNumber, Trace};

/// A promise of the disk that is broken on purpose, to see that the judge notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// None: the disk is honest.
    None,
    /// Syncs of files whose name ends so do nothing.
    Files(&'static str),
    /// Syncs of folders do nothing.
    Folders,
}

#[derive(Debug, Clone)]
enum Change {
    Write(u64, Range<usize>),
    Cut(u64),
}

#[derive(Debug, Default, Clone)]
struct File {
    synced: Vec<u8>,
    pending: Vec<Change>,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    File(FileNumber),
    Folder,
}

type Names = BTreeMap<PathBuf, Node>;

#[derive(Debug, Clone)]
enum Naming {
    Put(PathBuf, Node),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf, Node),
}

impl Naming {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Put(path, node) => drop(names.insert(path.clone(), *node)),
            Self::Remove(path) => drop(names.remove(path)),
            Self::Rename(from, to, node) => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
        }
    }
}

/// The disk, at some moment of the trace.
pub struct Disk<'t> {
    trace: &'t Trace,
    lie: Lie,
    passed: usize,
    files: BTreeMap<FileNumber, File>,
    synced: Names,
    now: Names,
    /// By folder, in order.
    pending: BTreeMap<PathBuf, Vec<Naming>>,
}

/// What is found after the power is back: paths with their contents, folders without.
pub type Found = BTreeMap<PathBuf, Option<Vec<u8>>>;

impl<'t> Disk<'t> {
    /// Before the first call. `before` has the contents of the files that were there, by path.
    pub fn new(trace: &'t Trace, before: &Found, lie: Lie) -> Result<Self> {
        let mut disk = Self {
            trace,
            lie,
            passed: 0,
            files: BTreeMap::new(),
            synced: Names::new(),
            now: Names::new(),
            pending: BTreeMap::new(),
        };
        for (path, content) in before {
            let node = match content {
                None => Node::Folder,
                Some(bytes) => {
                    let number = *trace.before.get(path).context("a file came in between")?;
                    disk.files.insert(number, File { synced: bytes.clone(), pending: Vec::new() });
                    Node::File(number)
                }
            };
            disk.synced.insert(path.clone(), node);
        }
        disk.now = disk.synced.clone();
        Ok(disk)
    }

    /// How many calls it has seen.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.passed
    }

    /// Lets the calls happen up to this many in all.
    pub fn go_to(&mut self, calls: usize) -> Result<()> {
        while self.passed < calls {
            let call = self.trace.calls.get(self.passed).context("the trace ends before")?;
            self.happen(call).with_context(|| format!("call {}", self.passed))?;
            self.passed += 1;
        }
        Ok(())
    }

    fn happen(&mut self, call: &Call) -> Result<()> {
        match call {
            Call::Create(file, path) => {
                self.files.insert(*file, File::default());
                self.name(Naming::Put(path.clone(), Node::File(*file)), path)?;
            }
            Call::MakeFolder(path) => {
                self.name(Naming::Put(path.clone(), Node::Folder), path)?;
            }
            Call::Unlink(path) => self.name(Naming::Remove(path.clone()), path)?,
            Call::Rename(from, to) => {
                ensure!(from.parent() == to.parent(), "a rename across folders");
                let node = *self.now.get(from).context("a rename of nothing")?;
                self.name(Naming::Rename(from.clone(), to.clone(), node), to)?;
            }
            Call::Write(file, at, data) => {
                self.change(*file, Change::Write(*at, data.clone()))?;
            }
            Call::Cut(file, size) => self.change(*file, Change::Cut(*size))?,
            Call::Sync(file) => {
                if !self.is_lied_about(*file) {
                    let trace = self.trace;
                    let file = self.files.get_mut(file).context("a sync of nothing")?;
                    for change in file.pending.drain(..) {
                        apply(&mut file.synced, &change, trace);
                    }
                }
            }
            Call::SyncFolder(path) => {
                if self.lie != Lie::Folders {
                    for naming in self.pending.remove(path).unwrap_or_default() {
                        naming.apply(&mut self.synced);
                    }
                }
            }
            Call::Say(..) => {}
        }
        Ok(())
    }

    fn is_lied_about(&self, file: FileNumber) -> bool {
        let Lie::Files(end) = self.lie else { return false };
        self.now.iter().any(|(path, node)| {
            *node == Node::File(file) && path.to_str().is_some_and(|path| path.ends_with(end))
        })
    }

    fn name(&mut self, naming: Naming, path: &Path) -> Result<()> {
        naming.apply(&mut self.now);
        let folder = path.parent().context("a path without a folder")?.to_owned();
        self.pending.entry(folder).or_default().push(naming);
        Ok(())
    }

    fn change(&mut self, file: FileNumber, change: Change) -> Result<()> {
        self.files.get_mut(&file).context("a change of nothing")?.pending.push(change);
        Ok(())
    }

    /// What every process sees now, power or not.
    #[must_use]
    pub fn now(&self) -> Found {
        self.contents(&self.now, |file| {
            let mut bytes = file.synced.clone();
            for change in &file.pending {
                apply(&mut bytes, change, self.trace);
            }
            bytes
        })
    }

    /// What there might be after a power loss at this moment.
    #[must_use]
    pub fn after_power_loss(&self, chance: &mut Chance) -> Found {
        let mut names = self.synced.clone();
        for namings in self.pending.values() {
            // Nothing, all, the first few, or any.
            let (kind, few) = (chance.below(4), chance.below(namings.len() as u64 + 1));
            for (place, naming) in (0_u64..).zip(namings) {
                let lasts = match kind {
                    0 => false,
                    1 => true,
                    2 => place < few,
                    _ => chance.below(2) == 0,
                };
                if lasts {
                    naming.apply(&mut names);
                }
            }
        }
        // A name in a folder that is not there is not there either. Folders come before what is in
        // them.
        let mut there = Names::new();
        for (path, node) in names {
            let is_there = path.parent().is_none_or(|folder| {
                !self.now.contains_key(folder) || there.get(folder) == Some(&Node::Folder)
            });
            if is_there {
                there.insert(path, node);
            }
        }
        self.contents(&there, |file| {
            let mut bytes = file.synced.clone();
            survive(&mut bytes, &file.pending, self.trace, chance);
            bytes
        })
    }

    fn contents(&self, names: &Names, mut of: impl FnMut(&File) -> Vec<u8>) -> Found {
        let mut content = |node: &Node| match node {
            Node::Folder => None,
            Node::File(number) => self.files.get(number).map(&mut of),
        };
        names.iter().map(|(path, node)| (path.clone(), content(node))).collect()
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change, trace: &Trace) {
    match change {
        Change::Cut(size) => bytes.resize(usize::try_from(*size).unwrap(), 0),
        Change::Write(at, data) => {
            put(bytes, usize::try_from(*at).unwrap(), trace.data(data), &mut |_| 0);
        }
    }
}

/// Writes `data` at `at`; a gap before it gets what `fill` gives.
fn put(bytes: &mut Vec<u8>, at: usize, data: &[u8], fill: &mut dyn FnMut(usize) -> u8) {
    while bytes.len() < at {
        bytes.push(fill(bytes.len()));
    }
    let inside = data.len().min(bytes.len() - at);
    bytes[at..at + inside].copy_from_slice(&data[..inside]);
    bytes.extend_from_slice(&data[inside..]);
}

/// Applies of the pending changes what a power loss may leave of them.
fn survive(bytes: &mut Vec<u8>, pending: &[Change], trace: &Trace, chance: &mut Chance) {
    let sector = *chance.one_of(&[512_u64, 512, 4096]);
    let (kind, odds) = (chance.below(6), chance.between(1, 9));
    let few = chance.below(pending.len() as u64 + 1);
    // The size of a file may be on the disk before its contents: zeros then, or what was there.
    let mut litter = chance.clone();
    let is_littered = chance.below(3) == 0;
    let mut fill = |_| if is_littered { litter.draw().to_le_bytes()[0] } else { 0 };
    match kind {
        0 => {}
        1 => pending.iter().for_each(|change| apply(bytes, change, trace)),
        // The first few, the last of them torn.
        2 => {
            for (place, change) in (0_u64..).zip(pending) {
                if place < few {
                    apply(bytes, change, trace);
                } else if place == few {
                    for (at, piece) in pieces(change, sector, trace) {
                        if chance.below(2) == 0 {
                            put(bytes, at, piece, &mut fill);
                        }
                    }
                }
            }
        }
        // Any of them, whole.
        3 => {
            for change in pending {
                if chance.below(10) < odds {
                    match change {
                        Change::Cut(_) => apply(bytes, change, trace),
                        Change::Write(at, data) => {
                            let at = usize::try_from(*at).unwrap();
                            put(bytes, at, trace.data(data), &mut fill);
                        }
                    }
                }
            }
        }
        // Any sectors of any of them, in any order between changes of the size.
        _ => {
            for run in pending.split_inclusive(|change| matches!(change, Change::Cut(_))) {
                let mut all: Vec<(usize, &[u8])> =
                    run.iter().flat_map(|change| pieces(change, sector, trace)).collect();
                for last in (1..all.len()).rev() {
                    all.swap(last, usize::try_from(chance.below(last as u64 + 1)).unwrap());
                }
                for (at, piece) in all {
                    if chance.below(10) < odds {
                        put(bytes, at, piece, &mut fill);
                    }
                }
                if let Some(cut @ Change::Cut(_)) = run.last()
                    && chance.below(10) < odds
                {
                    apply(bytes, cut, trace);
                }
            }
        }
    }
}

/// A write in pieces that do not cross a sector's border.
fn pieces<'t>(change: &Change, sector: u64, trace: &'t Trace) -> Vec<(usize, &'t [u8])> {
    let Change::Write(at, data) = change else { return Vec::new() };
    let mut rest = trace.data(data);
    let mut at = *at;
    let mut all = Vec::new();
    while !rest.is_empty() {
        let room = usize::try_from(sector - at % sector).unwrap().min(rest.len());
        let (piece, later) = rest.split_at(room);
        all.push((usize::try_from(at).unwrap(), piece));
        at += room as u64;
        rest = later;
    }
    all
}

/// Reads a folder as [`Disk::new`] and [`Disk::now`] know it; the shared index is no part of it.
pub fn read_folder(folder: &Path) -> Result<Found> {
    let mut found = Found::new();
    if folder.is_dir() {
        found.insert(folder.to_owned(), None);
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                found.extend(read_folder(&path)?);
            } else if !path.to_str().is_some_and(|path| path.ends_with("-shm")) {
                let bytes = std::fs::read(&path)?;
                found.insert(path, Some(bytes));
            }
        }
    }
    Ok(found)
}

/// Writes what was found under `from` into the folder `to`.
pub fn write_folder(found: &Found, from: &Path, to: &Path) -> Result<()> {
    for (path, content) in found {
        let target = to.join(path.strip_prefix(from)?);
        match content {
            None => std::fs::create_dir_all(&target)?,
            Some(bytes) => std::fs::write(&target, bytes)?,
        }
    }
    Ok(())
}
