//! Visitors who write without a pause and note what became of each of their messages.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Result, anyhow};
use yingke_tests::judge::{Fate, Sent};
use yingke_tests::link::new_id;
use yingke_tests::visitor::TestVisitor;
use yingke_tests::wait;

use crate::scene::Scene;

/// A visitor and what became of each of its messages.
type Written = (TestVisitor, Vec<Sent>);

/// Visitors that write without a pause until told to stop, and note what became of each message.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    acked: Arc<AtomicUsize>,
    writers: Vec<tokio::task::JoinHandle<Result<Written>>>,
}

impl Load {
    /// `padding` is how long texts are beyond their first words.
    pub(crate) async fn start(
        scene: &Scene,
        count: usize,
        padding: usize,
        round: &str,
    ) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let acked = Arc::new(AtomicUsize::new(0));
        let mut writers = Vec::new();
        for writer in 0..count {
            let mut visitor = scene.visitor().await?;
            let (stop, acked) = (Arc::clone(&stop), Arc::clone(&acked));
            let round = round.to_owned();
            writers.push(tokio::spawn(async move {
                let mut sent = Vec::new();
                let mut number = 0;
                while !stop.load(Ordering::SeqCst) {
                    number += 1;
                    let mut text = format!("{round}, writer {writer}, message {number}");
                    // Of any length up to it.
                    let more = padding * (number * 7 % 10) / 9;
                    text.extend(std::iter::repeat_n('。', more));
                    let client_id = new_id();
                    let fate = match visitor.say_surely(&client_id, &text).await? {
                        Ok(accepted) => {
                            acked.fetch_add(1, Ordering::SeqCst);
                            Fate::Acked(accepted.conversation, accepted.seq)
                        }
                        Err(_) => Fate::Refused,
                    };
                    sent.push(Sent { client_id, text, fate });
                }
                Ok((visitor, sent))
            }));
        }
        Ok(Self { stop, acked, writers })
    }

    /// Waits until so many messages were acknowledged since it began.
    pub(crate) async fn until_acked(&self, wanted: usize) -> Result<()> {
        wait::until("so many messages are acknowledged", || async {
            Ok((self.acked.load(Ordering::SeqCst) >= wanted).then_some(()))
        })
        .await
    }

    /// Ends it; gives the visitors and their lists.
    pub(crate) async fn stop(self) -> Result<(Vec<TestVisitor>, Vec<Vec<Sent>>)> {
        self.stop.store(true, Ordering::SeqCst);
        let mut visitors = Vec::new();
        let mut all = Vec::new();
        for writer in self.writers {
            let (visitor, sent) = writer.await.map_err(|error| anyhow!(error))??;
            visitors.push(visitor);
            all.push(sent);
        }
        Ok((visitors, all))
    }
}

/// Where files cost nothing: the system's memory, if it offers that.
pub(crate) fn memory_folder() -> Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("yingke-disk-");
    let memory = PathBuf::from("/dev/shm");
    Ok(if memory.is_dir() { builder.tempdir_in(memory)? } else { builder.tempdir()? })
}
