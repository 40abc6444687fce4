//! The SIP of the latest calls, in memory only and without numbers, names and digits.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
};

use call::{CallId, Time};

use self::dialog::Dialog;

mod dialog;
pub mod mask;
pub mod pcap;

/// One message as it was on the wire, masked.
#[derive(Clone, Debug)]
pub struct Message {
    /// When it was sent or received.
    pub at: Time,
    /// Who sent it.
    pub from: SocketAddr,
    /// Who received it.
    pub to: SocketAddr,
    /// The message: see [`mask::masked`].
    pub octets: Vec<u8>,
}

/// What a dialog costs beside its messages: itself, its name and where that leads to it.
const OVERHEAD: usize = size_of::<Dialog>() + 128;

/// The messages of the latest dialogs, at most so many octets of them; the oldest dialogs go first.
#[derive(Debug)]
pub struct Traces {
    limit: usize,
    held: usize,
    /// Each in a place of its own: half of the table is empty.
    dialogs: HashMap<Arc<[u8]>, Box<Dialog>>,
    /// Call-IDs, oldest first.
    order: VecDeque<Arc<[u8]>>,
    calls: HashMap<CallId, Vec<Arc<[u8]>>>,
}

impl Traces {
    /// Keeps at most `limit` octets; with 0, nothing.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            held: 0,
            dialogs: HashMap::new(),
            order: VecDeque::new(),
            calls: HashMap::new(),
        }
    }

    /// Keeps a message. Keepalives are no call's and are left out.
    pub fn add(&mut self, at: Time, from: SocketAddr, to: SocketAddr, octets: &[u8]) {
        if self.limit == 0 {
            return;
        }
        let Some((id, cseq)) = mask::transaction(octets) else { return };
        if [&b"OPTIONS"[..], b"REGISTER"].iter().any(|method| cseq.ends_with(method)) {
            return;
        }
        let masked = mask::masked(octets);
        let (_, dialog) = self.dialog(id);
        let before = dialog.size();
        dialog.add(at, [from, to], &masked);
        self.held += dialog.size() - before;
        self.shrink();
    }

    /// A dialog belongs to a call, whether or not a message of it has been seen.
    pub fn tie(&mut self, call: CallId, call_id: &[u8]) {
        if self.limit == 0 {
            return;
        }
        let (name, dialog) = self.dialog(call_id);
        if dialog.call.is_none() {
            dialog.call = Some(call);
            let ids = self.calls.entry(call).or_default();
            ids.reserve_exact(1);
            ids.push(name);
        }
        self.shrink();
    }

    fn dialog(&mut self, id: &[u8]) -> (Arc<[u8]>, &mut Dialog) {
        let known = self.dialogs.get_key_value(id).map(|(name, _)| Arc::clone(name));
        let name = known.unwrap_or_else(|| {
            let name: Arc<[u8]> = id.into();
            self.order.push_back(Arc::clone(&name));
            self.held += id.len() + OVERHEAD;
            name
        });
        (Arc::clone(&name), self.dialogs.entry(name).or_default())
    }

    /// The messages of a call in the order in which they came and went; empty when none are held.
    #[must_use]
    pub fn of(&self, call: CallId) -> Vec<Message> {
        let ids = self.calls.get(&call).into_iter().flatten();
        let mut messages = Vec::new();
        for dialog in ids.filter_map(|id| self.dialogs.get(id)) {
            let all = dialog.messages().into_iter();
            messages.extend(all.map(|(at, [from, to], octets)| Message { at, from, to, octets }));
        }
        messages.sort_by_key(|message| message.at);
        messages
    }

    fn shrink(&mut self) {
        while self.held > self.limit
            && let Some(id) = self.order.pop_front()
        {
            let Some(dialog) = self.dialogs.remove(&id) else { continue };
            self.held = self.held.saturating_sub(dialog.size() + id.len() + OVERHEAD);
            if let Some(call) = dialog.call
                && let Some(ids) = self.calls.get_mut(&call)
            {
                ids.retain(|known| *known != id);
                if ids.is_empty() {
                    self.calls.remove(&call);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, method: &str) -> Vec<u8> {
        format!("{method} sip:a.example SIP/2.0\r\nCall-ID: {id}\r\nCSeq: 1 {method}\r\nTo: <sip:06@h.nl>\r\n\r\n")
            .into_bytes()
    }

    fn add(traces: &mut Traces, second: u64, octets: &[u8]) {
        let address = SocketAddr::from(([10, 0, 0, 1], 5060));
        traces.add(Time::from_micros(second), address, address, octets);
    }

    #[test]
    fn both_dialogs_of_a_call_are_shown_in_order_and_masked() {
        let mut traces = Traces::new(1 << 20);
        let call = CallId::from_bytes([1; 16]);
        add(&mut traces, 1, &message("near", "INVITE"));
        add(&mut traces, 2, &message("far", "INVITE"));
        add(&mut traces, 3, &message("near", "BYE"));
        add(&mut traces, 4, &message("other", "BYE"));
        traces.tie(call, b"near");
        traces.tie(call, b"near");
        traces.tie(call, b"far");
        let shown = traces.of(call);
        let at: Vec<Time> = shown.iter().map(|message| message.at).collect();
        assert_eq!(at, [1, 2, 3].map(Time::from_micros));
        assert!(shown.iter().all(|message| !message.octets.windows(2).any(|two| two == b"06")));
        let whole = mask::masked(&message("near", "BYE"));
        assert_eq!(shown[2].octets, whole, "a packed message comes back as it was");
        assert!(traces.of(CallId::from_bytes([2; 16])).is_empty());
    }

    #[test]
    fn the_oldest_dialogs_go_first_and_nothing_of_them_stays() {
        let mut traces = Traces::new(4_000);
        let call = CallId::from_bytes([1; 16]);
        for number in 0..1_000 {
            let id = format!("id-{number}");
            add(&mut traces, number, &message(&id, "INVITE"));
            traces.tie(call, id.as_bytes());
        }
        assert!(traces.held <= 4_000 && traces.held > 3_000);
        assert_eq!(traces.order.len(), traces.dialogs.len());
        assert_eq!(traces.of(call).len(), traces.dialogs.len());
        assert!(traces.of(call).iter().all(|message| message.at > Time::from_micros(900)));
        let mut tiny = Traces::new(1);
        add(&mut tiny, 0, &message("a", "INVITE"));
        assert_eq!((tiny.held, tiny.dialogs.len(), tiny.order.len()), (0, 0, 0));
    }

    #[test]
    fn keepalives_are_not_kept_and_a_long_dialog_keeps_its_beginning() {
        let mut traces = Traces::new(1 << 30);
        add(&mut traces, 1, &message("ping", "OPTIONS"));
        assert!(traces.dialogs.is_empty());
        for number in 0..10_000 {
            add(&mut traces, number, &message("long", "UPDATE"));
        }
        assert!(traces.held < dialog::LIMIT + 1_000);
        let mut none = Traces::new(0);
        add(&mut none, 1, &message("a", "INVITE"));
        assert!(none.dialogs.is_empty());
    }
}
