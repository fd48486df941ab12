//! P16: what people feel while thousands of visitors are connected: how long a message takes to the other
//! side, what is being typed to the agent's screen, and the news that somebody came or went. All three
//! at once, for some rounds.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::client::{Board, Client, Order, Side};
use super::crowd::Crowd;
use super::error::{BenchError, During as _};
use super::ground::KnownVisitor;
use super::options::Dose;
use super::pairs::pace;
use super::place::Place;
use super::report::{Live, OfLive, Report};
use super::say;
use super::spread::{Percentiles, Spread};

/// Messages a second, of both sides together: a busy floor's.
const MESSAGES_PER_SECOND: u32 = 200;
/// Who type at once, and how often each is shown: below the five a second that one may.
const TYPING: usize = 100;
const PREVIEWS_PER_SECOND: u32 = 400;
/// The last few come and go.
const COMING: usize = 20;
/// At least so many in a round, however short it is.
const COMING_LEAST: usize = 3;
/// Whoever is not shown as gone, or as there, by then never is.
const SHOWN_WITHIN: Duration = Duration::from_secs(60);
const LOOKS_EVERY: Duration = Duration::from_millis(1);

/// See the module.
pub(super) async fn measure(
    place: &Place,
    dose: &Dose,
    report: &mut Report,
) -> Result<(), BenchError> {
    say("P16: live sockets");
    let rest = Duration::ZERO;
    let mut crowd = Crowd::gather(place, "live", place.visitors(dose.live), rest).await?;
    crowd.settled().await?;
    let mut rounds = Vec::new();
    for _ in 0..dose.rounds {
        rounds.push(round(&mut crowd, 2 * dose.round).await?);
    }
    let of = told(&crowd, &rounds);
    report.figures.p16 = Some(Live {
        message_ms: of.message_p99_ms.median,
        preview_ms: of.preview_p99_ms.median,
        presence_ms: of.presence_p99_ms.median,
    });
    say(&of.line());
    report.raw.live = Some(of);
    crowd.leave().await
}

/// What one round gave.
struct Round {
    messages: Percentiles,
    previews: Percentiles,
    presences: Percentiles,
    previews_shown: f64,
}

async fn round(crowd: &mut Crowd, time: Duration) -> Result<Round, BenchError> {
    let board = Arc::clone(&crowd.board);
    board.forget_live();
    let stay = crowd.visitors.len().saturating_sub(COMING).max(1);
    let staying = crowd.visitors.get(..stay).unwrap_or_default();
    // Agents all of whose visitors stay.
    let agents = crowd.ground.visitors.get(stay).map_or(usize::MAX, |visitor| visitor.agent);
    let writers: Vec<_> =
        staying.iter().chain(crowd.agents.iter().take(agents)).map(Client::orders).collect();
    let typing: Vec<_> = staying.iter().take(TYPING).map(Client::orders).collect();
    let going: Vec<Client> = crowd.visitors.drain(stay..).collect();
    let known = crowd.ground.visitors.get(stay..).unwrap_or_default().to_vec();
    let (address, ends) = (crowd.relay.address, Instant::now() + time);
    let (messages, previews, back) = tokio::join!(
        pace(&board, writers, MESSAGES_PER_SECOND, time, Order::Message),
        pace(&board, typing, PREVIEWS_PER_SECOND, time, Order::Preview),
        come_and_go(&board, address, going, known, stay, ends),
    );
    messages?;
    let (_, previews) = previews?;
    crowd.visitors.extend(back?);
    crowd.settled().await?;
    let (shown, presences) = (board.previews.lock().clone(), board.presences.lock().clone());
    Ok(Round {
        messages: Percentiles::of(board.take_delays()),
        previews_shown: shown.len() as f64 / previews,
        previews: Percentiles::of(shown),
        presences: Percentiles::of(presences),
    })
}

/// One after the other goes, and comes back when the agent was told.
async fn come_and_go(
    board: &Arc<Board>,
    address: std::net::SocketAddr,
    going: Vec<Client>,
    known: Vec<KnownVisitor>,
    first: usize,
    ends: Instant,
) -> Result<Vec<Client>, BenchError> {
    let mut back = Vec::new();
    for (number, (client, visitor)) in going.into_iter().zip(known).enumerate() {
        if number >= COMING_LEAST && Instant::now() >= ends {
            back.push(client);
            continue;
        }
        board.expect(&visitor.conversation, false);
        drop(client);
        shown(board).await?;
        board.expect(&visitor.conversation, true);
        let again = Client::open(board, address, Side::Visitor, &visitor.token, first + number);
        back.push(again.await?);
        shown(board).await?;
    }
    Ok(back)
}

async fn shown(board: &Board) -> Result<(), BenchError> {
    let seen = async {
        while board.expected.lock().is_some() {
            sleep(LOOKS_EVERY).await;
        }
    };
    timeout(SHOWN_WITHIN, seen).await.during("waiting until the agent is told who is there")
}

fn told(crowd: &Crowd, rounds: &[Round]) -> OfLive {
    let middle = |of: fn(&Round) -> Percentiles| {
        let all: Vec<Percentiles> = rounds.iter().map(of).collect();
        (Percentiles::middle(&all), Spread::of(all.iter().map(|round| round.p99)))
    };
    let (message_ms, message_p99_ms) = middle(|round| round.messages);
    let (preview_ms, preview_p99_ms) = middle(|round| round.previews);
    let (presence_ms, presence_p99_ms) = middle(|round| round.presences);
    OfLive {
        sockets: crowd.visitors.len() + crowd.agents.len(),
        messages_per_second: MESSAGES_PER_SECOND,
        previews_per_second: PREVIEWS_PER_SECOND,
        previews_shown: Spread::of(rounds.iter().map(|round| round.previews_shown)),
        message_ms,
        message_p99_ms,
        preview_ms,
        preview_p99_ms,
        presence_ms,
        presence_p99_ms,
        troubles: crowd.board.troubles.load(Ordering::Relaxed),
    }
}
