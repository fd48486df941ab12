//! Questions to the running driver: what it knows can be asked, never changed.
//!
//! The core belongs to the driver alone. Whoever wants to see something of it puts a question into a
//! short queue; the driver answers between two turns, at once and without waiting. Where no driver
//! runs, or it is busy for too long, there is no answer.

use std::time::Duration;

use async_channel::{Receiver, Sender};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;
use yingke_routing::{Considered, Described, DryRun, InLine, LineOrder, Router};

use crate::limits::{QUESTION_WITHIN_MS, QUESTIONS_WAITING_MAX};

/// Both ends of the queue, and a bell that rings after each turn.
pub struct Questions {
    ask: Sender<Question>,
    asked: Receiver<Question>,
    turned: watch::Sender<u64>,
}

/// One question with the way back.
pub(crate) enum Question {
    /// What would happen to this visitor?
    DryRun(Box<Described>, oneshot::Sender<DryRun>),
    /// How does everything stand?
    Overview(oneshot::Sender<Overview>),
}

/// How everything stands, as the core sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Overview {
    /// Everybody in line, departments as they are listed.
    pub(crate) lines: Vec<InLine>,
    /// Everybody's load, by id.
    pub(crate) agents: Vec<Considered>,
    /// As they are listed.
    pub(crate) departments: Vec<Counter>,
}

/// One department of an [`Overview`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counter {
    pub(crate) department: yingke_routing::DepartmentId,
    pub(crate) open: bool,
    /// Of whoever came now, in milliseconds.
    pub(crate) expected_ms: Option<u64>,
}

impl Default for Questions {
    fn default() -> Self {
        let (ask, asked) = async_channel::bounded(QUESTIONS_WAITING_MAX);
        let (turned, _) = watch::channel(0);
        Self { ask, asked, turned }
    }
}

impl Questions {
    /// For the driver: the queue.
    pub(crate) fn asked(&self) -> Receiver<Question> {
        self.asked.clone()
    }

    /// For the driver: something may be another now.
    pub(crate) fn turned(&self) {
        self.turned.send_modify(|turns| *turns = turns.wrapping_add(1));
    }

    /// Rings after each turn.
    pub(crate) fn turns(&self) -> watch::Receiver<u64> {
        self.turned.subscribe()
    }

    /// What would happen to this visitor; `None` without an answer.
    pub(crate) async fn dry_run(&self, visitor: Described) -> Option<DryRun> {
        self.answered(|back| Question::DryRun(Box::new(visitor), back)).await
    }

    /// How everything stands; `None` without an answer.
    pub(crate) async fn overview(&self) -> Option<Overview> {
        self.answered(Question::Overview).await
    }

    async fn answered<T>(&self, of: impl FnOnce(oneshot::Sender<T>) -> Question) -> Option<T> {
        let (back, answer) = oneshot::channel();
        self.ask.try_send(of(back)).ok()?;
        timeout(Duration::from_millis(QUESTION_WITHIN_MS), answer).await.ok()?.ok()
    }
}

impl Question {
    /// Answers it. Whoever asked may be gone by now.
    pub(crate) fn answer(self, router: &Router) {
        match self {
            Self::DryRun(_, back) if back.is_closed() => {}
            Self::DryRun(visitor, back) => drop(back.send(router.dry_run(&visitor))),
            Self::Overview(back) if back.is_closed() => {}
            Self::Overview(back) => drop(back.send(overview(router))),
        }
    }
}

fn overview(router: &Router) -> Overview {
    let counter = |of: &yingke_routing::Department| Counter {
        department: of.id.clone(),
        open: router.is_open(&of.id),
        expected_ms: router.expected_wait(&of.id),
    };
    Overview {
        lines: router.lines(LineOrder::Department),
        agents: router.colleagues().map(|colleague| colleague.agent).collect(),
        departments: router.departments_listed().into_iter().map(counter).collect(),
    }
}
