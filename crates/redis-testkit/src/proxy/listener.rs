//! Accepting connections, and carrying out what the test orders.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};

use super::cut::Cut;
use super::fault::{End, Fault};
use super::link::{Link, Order, Outcome};
use super::log::{Happened, Log};
use crate::error::Error;
use crate::ports;

/// What the test and the thread of a proxy share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) port: u16,
    pub(super) target: Mutex<SocketAddr>,
    pub(super) log: watch::Sender<Log>,
    pub(super) cut: Arc<Cut>,
}

/// What the test tells the thread.
pub(super) enum Command {
    Set(Fault, oneshot::Sender<Result<(), Error>>),
    End(End, oneshot::Sender<usize>),
}

/// A connection whose client has not closed it.
struct Open {
    client: Arc<TcpStream>,
    orders: UnboundedSender<Order>,
}

type Links = Arc<Mutex<BTreeMap<u64, Open>>>;

/// Accepts until nobody can send a command any more.
pub(super) async fn run(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut commands: UnboundedReceiver<Command>,
) {
    let (fault, _) = watch::channel(Fault::None);
    let links = Links::default();
    let mut listener = Some(listener);
    loop {
        let accept = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            command = commands.recv() => match command {
                None => return,
                Some(Command::Set(new, done)) => {
                    let set = set_fault(new, &mut listener, &shared, &fault, &links).await;
                    let _ = done.send(set);
                }
                Some(Command::End(end, done)) => {
                    let _ = done.send(end_all(&links, end).await);
                }
            },
            // Accepting fails for a moment only: the client is gone already, or files are short.
            Ok((client, _)) = accept => admit(client, &shared, &fault, &links),
        }
    }
}

async fn set_fault(
    new: Fault,
    listener: &mut Option<TcpListener>,
    shared: &Shared,
    fault: &watch::Sender<Fault>,
    links: &Links,
) -> Result<(), Error> {
    if new == Fault::Refuse {
        *listener = None;
    } else if listener.is_none() {
        let address = ports::local(shared.port);
        let bound = TcpListener::bind(address).await;
        *listener = Some(bound.map_err(|source| Error::Listen { port: shared.port, source })?);
    }
    fault.send_replace(new);
    if new == Fault::Reset {
        end_all(links, End::Reset).await;
    }
    Ok(())
}

/// Ends every connection, and returns how many there were, when it is done.
async fn end_all(links: &Links, end: End) -> usize {
    let waiting: Vec<_> = lock(links)
        .values()
        .filter_map(|link| {
            let (done, waiting) = oneshot::channel();
            link.orders.send((end, done)).is_ok().then_some(waiting)
        })
        .collect();
    join_all(waiting).await.iter().filter(|done| done.is_ok()).count()
}

fn admit(client: TcpStream, shared: &Arc<Shared>, fault: &watch::Sender<Fault>, links: &Links) {
    // A client that went before this was accepted knows nothing of its options.
    let _ = client.set_nodelay(true);
    sweep(shared, links);
    let id = shared.log.borrow().accepted + 1;
    shared.log.send_modify(|log| log.accepted(id));
    let client = Arc::new(client);
    let (orders, mut received) = unbounded_channel();
    lock(links).insert(id, Open { client: client.clone(), orders });
    let target = *shared.target.lock().unwrap_or_else(PoisonError::into_inner);
    let link = Link { id, client, target, fault: fault.subscribe(), cut: shared.cut.clone() };
    let (shared, links) = (shared.clone(), links.clone());
    let is_reset = *fault.borrow() == Fault::Reset;
    tokio::spawn(async move {
        let mut outcome = if is_reset {
            Outcome { happened: Happened::Ended, end: End::Reset, done: None }
        } else {
            link.forward(&mut received).await
        };
        while outcome.end == End::Silence {
            shared.log.send_modify(|log| log.ended(id, outcome.happened, true));
            outcome.tell();
            outcome = link.swallow(&mut received).await;
        }
        if outcome.end == End::Reset {
            // Where this fails the client is gone, and needs no reset.
            let _ = link.client.set_zero_linger();
        }
        let known = lock(&links).remove(&id);
        // In this order: a client that sees the end finds it in the log, and whoever ordered it
        // hears of it when the socket, which has two owners, is closed.
        if known.is_some() {
            shared.log.send_modify(|log| log.ended(id, outcome.happened, false));
        }
        drop((link, known));
        outcome.tell();
    });
}

impl Outcome {
    fn tell(&mut self) {
        if let Some(done) = self.done.take() {
            let _ = done.send(());
        }
    }
}

/// Takes off the connections that their clients have closed, also where their tasks have not come
/// to read that yet.
fn sweep(shared: &Shared, links: &Links) {
    let mut links = lock(links);
    let closed: Vec<u64> = {
        let mut polled: Vec<PollFd<'_>> =
            links.values().map(|link| PollFd::new(&*link.client, GONE)).collect();
        // It does not wait; where it fails, the tasks see the closing a little later.
        let _ = poll(&mut polled, Some(&Timespec::default()));
        let is_closed = |poll: &PollFd<'_>| poll.revents().intersects(GONE | ALWAYS);
        links.keys().zip(&polled).filter(|(_, poll)| is_closed(poll)).map(|(id, _)| *id).collect()
    };
    for id in closed {
        links.remove(&id);
        shared.log.send_modify(|log| log.ended(id, Happened::ClosedByClient, false));
    }
}

/// What is reported whether it is asked for or not.
const ALWAYS: PollFlags = PollFlags::HUP.union(PollFlags::ERR);

/// The other end sends no more.
#[cfg(target_os = "linux")]
const GONE: PollFlags = PollFlags::RDHUP;
#[cfg(not(target_os = "linux"))]
const GONE: PollFlags = PollFlags::HUP;

fn lock(links: &Links) -> MutexGuard<'_, BTreeMap<u64, Open>> {
    links.lock().unwrap_or_else(PoisonError::into_inner)
}
