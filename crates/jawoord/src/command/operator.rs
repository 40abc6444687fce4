//! Answers the control socket of a node that runs.

use std::sync::Arc;

use call::{Private, Queue};
use portal::{Portal, Seated};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::{
    renew::Renewal,
    request::{Reply, Request, call_id},
};
use crate::{
    control::{Answer, Handle},
    floor::FloorDoor,
    kept::Change,
    live::{node as live, wanted::Wanted},
    note::{Asked, Note, Paused, Seating, Withdrawal},
    office::{answer::Desk, listing},
    page::Page,
    trace::pcap,
};

/// The page, while it is served.
pub(super) struct Door {
    pub(super) portal: Arc<Portal<Page>>,
    pub(super) address: std::net::SocketAddr,
}

impl Door {
    pub(super) fn link(&self) -> String {
        self.portal.new_link().url(self.address)
    }
}

/// Answers the control socket.
pub(super) struct Operator {
    pub(super) desk: Desk,
    pub(super) notes: mpsc::UnboundedSender<Note>,
    pub(super) renewal: Option<Arc<Renewal>>,
    pub(super) page: Option<Door>,
}

impl Handle for Operator {
    async fn handle(&self, request: Request) -> Answer {
        if let Request::CallsHangup { id } = &request {
            self.hang_up(id).await.into()
        } else if let Request::CallsAsk { id } = &request {
            self.ask(id).await.into()
        } else if let Request::CallsAgent { id, agent, queue } = &request {
            self.seat(id, agent.as_ref(), queue.as_deref()).await.into()
        } else if let Request::CallsPause { id, on } = &request {
            self.pause(id, *on).await.into()
        } else if let Request::CallsWithdraw { id } = &request {
            self.withdraw(id).await.into()
        } else if let Request::CallsShow { id } = &request {
            let shown = self.desk.answer(request.clone()).await;
            self.standing(id, shown).await
        } else if let Request::CallsTrace { id } = &request {
            self.trace(id).await
        } else if matches!(request, Request::Reload) {
            self.renew(None).await.into()
        } else if let Request::Drain { on } = request {
            self.drain(on).await.into()
        } else if let Some(change) = request.change() {
            self.renew(Some(change)).await.into()
        } else if let Request::ReportReconcile { from, to } = request {
            let floor = FloorDoor::new(self.notes.clone());
            self.desk.reconcile(from, to, Some(&floor)).await.into()
        } else if let Request::CheckLive { call } = &request {
            self.look(call.as_ref()).await.into()
        } else if matches!(request, Request::PortalLink) {
            match &self.page {
                Some(page) => Reply::done(page.link().into()).into(),
                None => Reply::failed("no page is served; set `portal.bind`").into(),
            }
        } else {
            self.desk.answer(request).await
        }
    }
}

impl Operator {
    async fn hang_up(&self, id: &str) -> Reply {
        let id = match call_id(id) {
            Ok(id) => id,
            Err(reply) => return reply,
        };
        let (answer, answered) = oneshot::channel();
        let sent = self.notes.send(Note::HangUp(id, answer));
        match (sent, answered.await) {
            (Ok(()), Ok(true)) => Reply::done(id.to_string().into()),
            _ => Reply::failed("no such call runs now; see `calls list`"),
        }
    }

    async fn ask(&self, id: &str) -> Reply {
        Reply::failed(match FloorDoor::new(self.notes.clone()).asks(id).await {
            Asked::Begun => return Reply::done(id.into()),
            Asked::Unknown => "no such call runs now; see `calls list`",
            Asked::NotNow => {
                "nobody can be asked in this call now: only the customer of a connected call whose \
                 policy says `agent_asks` for its direction can, as often as `ask_times` says, and \
                 never again after a yes or a no"
            }
            Asked::NotReady => {
                "nobody is asked, because the recording could not be kept; see the log and \
                 `jawoord check`"
            }
        })
    }

    async fn seat(&self, id: &str, agent: Option<&String>, queue: Option<&str>) -> Reply {
        let queue = match queue.map(Queue::new).transpose() {
            Ok(queue) => queue,
            Err(error) => return Reply::failed(error),
        };
        let seated = agent.map(|agent| Seated { agent: Private::new(agent.clone()), queue });
        match FloorDoor::new(self.notes.clone()).seats(id, seated).await {
            Seating::Known => Reply::done(id.into()),
            Seating::Unknown => Reply::failed("no such call runs now; see `calls list`"),
        }
    }

    async fn pause(&self, id: &str, on: bool) -> Reply {
        Reply::failed(match FloorDoor::new(self.notes.clone()).pauses(id, on).await {
            Paused::Done => return Reply::done(id.into()),
            Paused::Unknown => "no such call runs now; see `calls list`",
            Paused::NotRecorded => {
                "this call is not being recorded now, so there is nothing to pause"
            }
        })
    }

    async fn withdraw(&self, id: &str) -> Reply {
        Reply::failed(match FloorDoor::new(self.notes.clone()).withdraws(id).await {
            Withdrawal::Done => return Reply::done(id.into()),
            Withdrawal::Unknown => "no such call runs now; see `calls list`",
            Withdrawal::Nothing => {
                "there is nothing to withdraw in this call: its customer has agreed to no recording, has \
                 withdrawn already, or a law demands it"
            }
        })
    }

    /// What the ledger says of a call, and how it stands if it runs.
    async fn standing(&self, id: &str, mut shown: Answer) -> Answer {
        let runs = shown.reply.value.get("closed_at").is_some_and(Value::is_null);
        let (true, Ok(id)) = (runs, call_id(id)) else { return shown };
        let (answer, answered) = oneshot::channel();
        let standing = match self.notes.send(Note::Stand(id, answer)) {
            Ok(()) => answered.await.ok().flatten(),
            Err(_) => None,
        };
        if let (Some(standing), Some(object)) = (standing, shown.reply.value.as_object_mut()) {
            listing::standing(&standing, object);
        }
        shown
    }

    async fn trace(&self, id: &str) -> Answer {
        let id = match call_id(id) {
            Ok(id) => id,
            Err(reply) => return reply.into(),
        };
        let (answer, answered) = oneshot::channel();
        let messages = match self.notes.send(Note::Trace(id, answer)) {
            Ok(()) => answered.await.unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        if messages.is_empty() {
            return Reply::failed(
                "no messages of this call are held; only those of the latest calls since the start \
                 are, as many as `trace.memory_mb` allows",
            )
            .into();
        }
        let Ok(file) = pcap::write(&messages) else {
            return Reply::failed("a message does not fit a capture file").into();
        };
        let mut reply = Reply::done(serde_json::json!({ "messages": messages.len() }));
        reply.bytes = file.len() as u64;
        let (sender, body) = mpsc::channel(1);
        // The channel is empty, so that there is room.
        let _there_is_room = sender.try_send(file);
        Answer { reply, body: Some(body) }
    }

    async fn look(&self, call: Option<&Wanted>) -> Reply {
        let report = live::look(&self.desk.archive, &self.notes, call).await;
        match report.map(serde_json::to_value) {
            Some(Ok(value)) => Reply::done(value),
            Some(Err(_)) => Reply::failed("the report has no JSON form"),
            None => Reply::failed("the node is stopping; try again when it has"),
        }
    }

    async fn drain(&self, on: bool) -> Reply {
        let (answer, answered) = oneshot::channel();
        let sent = self.notes.send(Note::Drain(on, answer));
        match (sent, answered.await) {
            (Ok(()), Ok(calls)) => {
                Reply::done(serde_json::json!({ "draining": on, "calls": calls }))
            }
            _ => Reply::failed("the node is stopping; it takes no calls any more"),
        }
    }

    async fn renew(&self, change: Option<Change>) -> Reply {
        match (&self.renewal, change) {
            (None, _) => Reply::failed("this node has no configuration file"),
            (Some(renewal), None) => renewal.read_again().await,
            (Some(renewal), Some(change)) => renewal.change(change).await,
        }
    }
}
