//! The command line: where this client keeps its data, and nothing else.

use std::ffi::OsString;
use std::path::PathBuf;

/// What was asked for at the start.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Args {
    /// Keep everything below this folder instead of the user's data folder: a second folder is a
    /// second client with accounts of its own.
    pub(crate) data: Option<PathBuf>,
}

/// Shown when the command line is not understood.
pub(crate) const USAGE: &str = "usage: yingke-desktop [--data DIR]";

impl Args {
    /// Reads the words after the program's name; `None` if they are not understood.
    pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut args = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            if word == "--data" {
                args.data = Some(PathBuf::from(words.next().filter(|dir| !dir.is_empty())?));
            } else if let Some(dir) = word.to_str().and_then(|word| word.strip_prefix("--data=")) {
                args.data = Some(PathBuf::from(dir));
            } else {
                return None;
            }
        }
        Some(args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Option<Option<PathBuf>> {
        Args::parse(words.iter().map(OsString::from)).map(|args| args.data)
    }

    #[test]
    fn only_the_data_folder_is_understood() {
        assert_eq!(parse(&[]), Some(None));
        assert_eq!(parse(&["--data", "/a b"]), Some(Some(PathBuf::from("/a b"))));
        assert_eq!(parse(&["--data=/a"]), Some(Some(PathBuf::from("/a"))));
        assert_eq!(parse(&["--data"]), None);
        assert_eq!(parse(&["--server", "x"]), None);
    }
}
