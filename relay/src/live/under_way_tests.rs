//! Copies of one command on several sockets: whose turn it is and what a refusal holds for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use futures_util::FutureExt as _;
use tokio::sync::oneshot;
use yingke_shared::error_code::ErrorCode;

use super::*;

const SEND: &str = "send_message";

/// A session's task: how often it was woken.
#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

type Judge = oneshot::Sender<Result<Outcome, RelayError>>;

fn named(copies: &Arc<Copies>, id: &str, name: &'static str, socket: u64) -> (UnderWay, Judge) {
    let (judge, judged) = oneshot::channel();
    let work = judged.map(|result| result.unwrap()).boxed();
    (UnderWay::new(ClientId::new(id).unwrap(), name, socket, copies, work), judge)
}

fn copy(copies: &Arc<Copies>, id: &str, socket: u64) -> (UnderWay, Judge) {
    named(copies, id, SEND, socket)
}

fn look(command: &mut UnderWay, task: &Arc<Task>) -> Option<Result<(), ErrorCode>> {
    let waker = Waker::from(Arc::clone(task));
    match command.poll(&mut Context::from_waker(&waker)) {
        Poll::Pending => None,
        Poll::Ready(reply) => Some(reply.error.map_or(Ok(()), |error| Err(error.code))),
    }
}

/// Carries one out at once; gives the answer.
fn judged(
    (mut command, judge): (UnderWay, Judge),
    result: Result<(), ErrorCode>,
) -> Result<(), ErrorCode> {
    let _ = judge.send(result.map(|()| Outcome::Done {}).map_err(RelayError::from));
    look(&mut command, &Arc::default()).unwrap()
}

#[test]
fn a_copy_waits_for_the_other_and_holds_up_nothing_else() {
    let (copies, task) = (Arc::<Copies>::default(), Arc::<Task>::default());
    let (mut first, judge) = copy(&copies, "a", 2);
    assert_eq!(look(&mut first, &task), None);
    let (mut second, _judge) = copy(&copies, "a", 1);
    for _ in 0..3 {
        assert_eq!(look(&mut second, &task), None);
    }
    assert_eq!(judged(copy(&copies, "b", 1), Ok(())), Ok(()));
    let woken = task.0.load(Ordering::Relaxed);
    judge.send(Err(ErrorCode::Overtaken.into())).map_err(|_| ()).unwrap();
    assert_eq!(look(&mut first, &task), Some(Err(ErrorCode::Overtaken)));
    assert_eq!(look(&mut second, &task), None, "until the first is out of the way");
    drop(first);
    assert!(task.0.load(Ordering::Relaxed) > woken, "whoever waits hears of it");
    assert_eq!(look(&mut second, &task), Some(Err(ErrorCode::Overtaken)));
}

#[test]
fn a_session_that_ends_gives_the_turn_back() {
    let (copies, task) = (Arc::<Copies>::default(), Arc::<Task>::default());
    let (mut first, _judge) = copy(&copies, "a", 1);
    assert_eq!(look(&mut first, &task), None);
    let (mut second, judge) = copy(&copies, "a", 2);
    assert_eq!(look(&mut second, &task), None);
    drop(first);
    // One that waits and goes takes no turn away from whoever has it.
    let (mut third, _third) = copy(&copies, "a", 3);
    judge.send(Ok(Outcome::Done {})).map_err(|_| ()).unwrap();
    assert_eq!(look(&mut second, &task), Some(Ok(())));
    assert_eq!(look(&mut third, &task), None);
    drop(third);
    let (mut fourth, _fourth) = copy(&copies, "a", 4);
    assert_eq!(look(&mut fourth, &task), None);
    drop(second);
    assert_eq!(judged(copy(&copies, "c", 4), Ok(())), Ok(()));
}

#[test]
fn a_refusal_holds_for_older_sockets_until_the_command_is_taken() {
    let copies = Arc::<Copies>::default();
    let refused = Err(ErrorCode::Overtaken);
    assert_eq!(judged(copy(&copies, "a", 2), refused), refused);
    assert_eq!(judged(copy(&copies, "a", 1), Ok(())), refused);
    assert_eq!(judged(copy(&copies, "b", 1), Ok(())), Ok(()), "another message");
    assert_eq!(judged(named(&copies, "a", "leave_message", 1), Ok(())), Ok(()), "another command");
    assert_eq!(judged(copy(&copies, "a", 2), Ok(())), Ok(()), "somebody asked again");
    assert_eq!(judged(copy(&copies, "a", 1), Ok(())), Ok(()), "the answer of what is stored");
}

#[test]
fn what_may_succeed_later_is_no_refusal() {
    let copies = Arc::<Copies>::default();
    let failed = Err(ErrorCode::StorageFailed);
    assert_eq!(judged(copy(&copies, "a", 2), failed), failed);
    assert_eq!(judged(copy(&copies, "a", 1), Ok(())), Ok(()));
}

#[test]
fn the_newest_refusals_are_remembered() {
    let copies = Arc::<Copies>::default();
    let refused = Err(ErrorCode::NotFound);
    for number in 0..=REFUSALS_KEPT_MAX {
        assert_eq!(judged(copy(&copies, &number.to_string(), 2), refused), refused);
    }
    assert_eq!(judged(copy(&copies, "0", 1), Ok(())), Ok(()));
    assert_eq!(judged(copy(&copies, "1", 1), Ok(())), refused);
    assert_eq!(copies.0.lock().refused.len(), REFUSALS_KEPT_MAX);
}
