//! What goes on in an Asterisk, as its events tell it: channels, who shares a bridge with whom, who hears
//! music; and so, for each call, whether an agent talks to it, and who.
//!
//! A channel's call is known by its Call-ID, which Asterisk is asked for once. An agent is whoever shares a
//! bridge with it, is a telephone, not of the same endpoint (who comes in by our trunk is no agent, nor who is
//! called through it), and holds nobody. Of what was there before we listened only the bridges are asked for:
//! whether anybody hears music is not said, and so there is no agent until an event says more.

use std::collections::{HashMap, VecDeque};

use super::message::Block;

/// Technologies of channels behind which somebody can talk. Everything else in a bridge is Asterisk itself.
const TELEPHONES: &[&str] = &["PJSIP", "SIP", "IAX2", "DAHDI", "SCCP"];
/// A bridge in which nobody hears anybody: callers who are parked, or wait for an announcer.
const HOLDING: &str = "holding_bridge";
/// More channels than any Asterisk carries.
const CHANNELS: usize = 100_000;
/// How many channels one call can be bridged with, over Local channels and conferences.
const CIRCLE: usize = 64;

/// Who talks to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    /// The agent: the name of a queue's member, or else the endpoint, such as `PJSIP/6001`.
    pub(super) agent: Box<str>,
    /// The queue by which the call came.
    pub(super) queue: Option<Box<str>>,
}

/// What follows from an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// The Call-ID of this channel is wanted: its unique id, and its name.
    Ask(Box<str>, Box<str>),
    /// This agent talks to the call of this Call-ID from now on; `None` when nobody does any more.
    Tell(Box<str>, Option<Seat>),
}

#[derive(Default)]
struct Channel {
    name: Box<str>,
    call_id: Option<Box<str>>,
    bridge: Option<Box<str>>,
    /// It hears music on hold.
    music: bool,
    /// It was there before we listened: whether it hears music is not known.
    unsure: bool,
    /// Its phone holds whoever it is connected with.
    holds: bool,
    /// As a queue calls its phone, and which one.
    member: Option<Box<str>>,
    queue: Option<Box<str>>,
    /// What was told last.
    told: Option<Seat>,
}

/// Everything that is known of one Asterisk.
#[derive(Default)]
pub(super) struct Scene {
    channels: HashMap<Box<str>, Channel>,
    /// Whose name is whose unique id.
    names: HashMap<Box<str>, Box<str>>,
    /// Who is in a bridge, in the order in which they came.
    bridges: HashMap<Box<str>, Vec<Box<str>>>,
    /// Endpoints that are no agents.
    outside: Box<[Box<str>]>,
    wishes: VecDeque<Wish>,
}

impl Scene {
    /// An Asterisk of which nothing is known yet, and whose endpoints of these names are no agents.
    pub(super) fn new(outside: &[Box<str>]) -> Self {
        Self { outside: outside.into(), ..Self::default() }
    }

    /// The next thing that follows from what was taken.
    pub(super) fn poll(&mut self) -> Option<Wish> {
        self.wishes.pop_front()
    }

    /// Takes the Call-ID of a channel, as Asterisk has answered.
    pub(super) fn answered(&mut self, unique: &str, call_id: &str) {
        if let Some(channel) = self.channels.get_mut(unique) {
            channel.call_id = Some(call_id.into());
            self.judge(unique);
        }
    }

    /// Takes one event.
    pub(super) fn take(&mut self, event: &Block) {
        let (Some(kind), Some(unique)) = (event.get("Event"), event.get("Uniqueid")) else {
            return;
        };
        let before = self.circle(unique);
        let is_new = self.meet(unique, event);
        match kind {
            "Rename" => self.rename(unique, event.get("Newname")),
            "BridgeEnter" => self.enter(unique, event),
            "BridgeLeave" => self.leave(unique),
            "MusicOnHoldStart" => self.music(unique, true),
            "MusicOnHoldStop" => self.music(unique, false),
            "CoreShowChannel" if is_new => self.find(unique, event),
            "Hold" => self.change(unique, |channel| channel.holds = true),
            "Unhold" => self.change(unique, |channel| channel.holds = false),
            "AgentConnect" => self.connect(event),
            "AgentComplete" => self.complete(event),
            "Hangup" => self.leave(unique),
            _ => return,
        }
        for other in before.iter().chain(&self.circle(unique)) {
            self.judge(other);
        }
        if kind == "Hangup" {
            self.forget(unique);
        }
    }

    /// A channel that was not known is, from any event on that names it. Whether it was not.
    fn meet(&mut self, unique: &str, event: &Block) -> bool {
        let Some(name) = event.get("Channel") else { return false };
        if self.channels.contains_key(unique) || self.channels.len() >= CHANNELS {
            return false;
        }
        let channel = Channel { name: name.into(), ..Channel::default() };
        self.channels.insert(unique.into(), channel);
        self.names.insert(name.into(), unique.into());
        self.ask(unique);
        true
    }

    /// A channel that was there before we listened, and its bridge.
    fn find(&mut self, unique: &str, event: &Block) {
        if let Some(bridge) = event.get("BridgeId") {
            self.join(unique, bridge);
        }
        self.change(unique, |channel| channel.unsure = true);
    }

    fn music(&mut self, unique: &str, on: bool) {
        self.change(unique, |channel| (channel.music, channel.unsure) = (on, false));
    }

    /// Only PJSIP tells the Call-ID of a channel.
    fn ask(&mut self, unique: &str) {
        let Some(channel) = self.channels.get(unique) else { return };
        if technology(&channel.name) == "PJSIP" && channel.call_id.is_none() {
            self.wishes.push_back(Wish::Ask(unique.into(), channel.name.clone()));
        }
    }

    fn change(&mut self, unique: &str, change: impl FnOnce(&mut Channel)) {
        if let Some(channel) = self.channels.get_mut(unique) {
            change(channel);
        }
    }

    /// What is behind a channel may be another call from now on.
    fn rename(&mut self, unique: &str, name: Option<&str>) {
        let (Some(name), Some(channel)) = (name, self.channels.get_mut(unique)) else { return };
        let old = std::mem::replace(&mut channel.name, name.into());
        if channel.told.take().is_some()
            && let Some(call_id) = &channel.call_id
        {
            self.wishes.push_back(Wish::Tell(call_id.clone(), None));
        }
        channel.call_id = None;
        if self.names.get(&old).is_some_and(|known| &**known == unique) {
            self.names.remove(&old);
        }
        self.names.insert(name.into(), unique.into());
        self.ask(unique);
    }

    fn enter(&mut self, unique: &str, event: &Block) {
        self.leave(unique);
        let Some(bridge) = event.get("BridgeUniqueid") else { return };
        if event.get("BridgeTechnology") == Some(HOLDING) {
            return;
        }
        self.join(unique, bridge);
        self.change(unique, |channel| channel.unsure = false);
        // It had none when it was asked for: the call was being set up.
        self.ask(unique);
    }

    fn join(&mut self, unique: &str, bridge: &str) {
        let members = self.bridges.entry(bridge.into()).or_default();
        members.push(unique.into());
        self.change(unique, |channel| channel.bridge = Some(bridge.into()));
    }

    fn leave(&mut self, unique: &str) {
        let Some(bridge) = self.channels.get_mut(unique).and_then(|it| it.bridge.take()) else {
            return;
        };
        if let Some(members) = self.bridges.get_mut(&bridge) {
            members.retain(|member| &**member != unique);
            if members.is_empty() {
                self.bridges.remove(&bridge);
            }
        }
    }

    /// A queue has brought a call and an agent together.
    fn connect(&mut self, event: &Block) {
        let Some(agent) = event.get("DestUniqueid") else { return };
        let (member, queue) = (event.get("MemberName"), event.get("Queue"));
        self.change(agent, |channel| {
            (channel.member, channel.queue) = (member.map(Box::from), queue.map(Box::from));
        });
    }

    /// And has nothing more to do with both. What the agent is called stays.
    fn complete(&mut self, event: &Block) {
        let Some(agent) = event.get("DestUniqueid") else { return };
        self.change(agent, |channel| channel.queue = None);
    }

    fn forget(&mut self, unique: &str) {
        let Some(channel) = self.channels.remove(unique) else { return };
        if self.names.get(&channel.name).is_some_and(|known| &**known == unique) {
            self.names.remove(&channel.name);
        }
    }

    /// Tells who talks to the call of this channel, if that is news.
    fn judge(&mut self, unique: &str) {
        let seat = self.seat(unique);
        let Some(channel) = self.channels.get_mut(unique) else { return };
        let Some(call_id) = channel.call_id.clone().filter(|_| channel.told != seat) else {
            return;
        };
        channel.told.clone_from(&seat);
        self.wishes.push_back(Wish::Tell(call_id, seat));
    }

    /// Who talks to the call of this channel. Of several it is who did so far, or who came first.
    fn seat(&self, unique: &str) -> Option<Seat> {
        let hears = |it: &&Channel| it.call_id.is_some() && !it.music && !it.unsure;
        let customer = self.channels.get(unique).filter(hears)?;
        let mut agents: Vec<Seat> = Vec::new();
        let (mut member, mut queue) = (None, None);
        for other in self.circle(unique).iter().filter(|other| &***other != unique) {
            let Some(channel) = self.channels.get(other) else { continue };
            // A queue knows the agent behind a Local channel by that channel.
            (member, queue) =
                (channel.member.as_ref().or(member), channel.queue.as_ref().or(queue));
            if technology(&channel.name) == LOCAL && (channel.music || channel.holds) {
                return None;
            }
            if self.is_agent(channel, customer) {
                let agent =
                    member.take().cloned().unwrap_or_else(|| endpoint(&channel.name).into());
                agents.push(Seat { agent, queue: queue.take().cloned() });
            }
        }
        let so_far =
            |seat: &&Seat| customer.told.as_ref().is_some_and(|told| told.agent == seat.agent);
        agents.iter().find(so_far).or(agents.first()).cloned()
    }

    fn is_agent(&self, channel: &Channel, customer: &Channel) -> bool {
        let own = endpoint(&channel.name);
        let own_name = own.split_once('/').map_or(own, |(_, name)| name);
        let outside = self.outside.iter().any(|it| **it == *own || **it == *own_name);
        TELEPHONES.contains(&technology(&channel.name))
            && own != endpoint(&customer.name)
            && !channel.holds
            && !outside
    }

    /// This channel, and all that it is bridged with, over Local channels, too.
    fn circle(&self, unique: &str) -> Vec<Box<str>> {
        let mut found: Vec<Box<str>> = vec![unique.into()];
        let mut next = 0;
        while let Some(at) = found.get(next).cloned() {
            next += 1;
            let Some(channel) = self.channels.get(&at) else { continue };
            let bridge = channel.bridge.as_ref().and_then(|bridge| self.bridges.get(bridge));
            let near = bridge.into_iter().flatten();
            let far = other_half(&channel.name).and_then(|name| self.names.get(&*name));
            for other in near.chain(far) {
                if found.len() < CIRCLE && !found.contains(other) {
                    found.push(other.clone());
                }
            }
        }
        found
    }
}

const LOCAL: &str = "Local";

/// `PJSIP` of `PJSIP/6001-00000003`.
fn technology(name: &str) -> &str {
    name.split_once('/').map_or("", |(technology, _)| technology)
}

/// `PJSIP/6001` of `PJSIP/6001-00000003`.
fn endpoint(name: &str) -> &str {
    name.rsplit_once('-').map_or(name, |(endpoint, _)| endpoint)
}

/// `Local/6001@agents-00000003;2` of `Local/6001@agents-00000003;1`, and the reverse.
fn other_half(name: &str) -> Option<String> {
    let (both, half) = name.rsplit_once(';').filter(|_| technology(name) == LOCAL)?;
    Some(format!("{both};{}", if half == "1" { "2" } else { "1" }))
}

#[cfg(test)]
mod tests;
