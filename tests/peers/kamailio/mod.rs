//! Kamailio in front of two nodes, with the configuration of `deploy/recipes/kamailio.cfg`.

use std::{
    thread,
    time::{Duration, Instant},
};

use support::{
    exchange::{
        Act, Exchange, History, Manner, Plan,
        message::{header, user_of},
    },
    kamailio::Kamailio,
    node::{Change, Node},
};

use super::party;

/// A number without a line: put through at once, so that a call takes no time.
const NUMBER: &str = "+31201110000";
/// How soon a new call must have found its way.
const SOON: Duration = Duration::from_secs(2);

/// Two nodes with a PBX each, a proxy before them, and callers.
struct Site {
    nodes: [Node; 2],
    pbxs: [Exchange; 2],
    proxy: Kamailio,
    callers: Exchange,
    placed: usize,
}

impl Site {
    fn open() -> Self {
        let nodes = [Node::start(&Change::default()), Node::start(&Change::default())];
        let pbx = |node: &Node| {
            let manner =
                Manner::Answers { after: Duration::ZERO, tone_hz: 440.0, acts: Vec::new() };
            Exchange::start([127, 0, 0, 1], node.pbx, manner)
        };
        let pbxs = [pbx(&nodes[0]), pbx(&nodes[1])];
        let proxy = Kamailio::start(&[nodes[0].sip, nodes[1].sip], nodes[0].pbx);
        Self { nodes, pbxs, proxy, callers: Exchange::callers(), placed: 0 }
    }

    /// Places a call through the proxy that speaks 700 Hz, and says who called.
    fn place(&mut self) -> String {
        self.placed += 1;
        let from = format!("+3161234{:04}", self.placed);
        let plan = Plan::new(&from, NUMBER).at(0, Act::Speak(700.0));
        self.callers.call(self.proxy.sip, plan);
        from
    }

    /// Places a call that must be answered soon, and says who called and how long it took.
    fn answered(&mut self) -> (String, Duration) {
        let (from, placed) = (self.place(), Instant::now());
        while self.callers.find(&from).and_then(|call| call.answered()).is_none() {
            assert!(placed.elapsed() < SOON, "{from} is not answered:\n{}", self.proxy.log());
            thread::sleep(Duration::from_millis(10));
        }
        (from, placed.elapsed())
    }

    /// Which PBX a call has reached, and whether a node is in its way.
    fn way(&mut self, from: &str) -> (usize, bool) {
        for (index, pbx) in self.pbxs.iter_mut().enumerate() {
            if let Some(call) = pbx.find(from) {
                let invite = call.request("INVITE", true).expect("an INVITE");
                return (index, header(&invite.text, "X-Jawoord-Call").is_some());
            }
        }
        panic!("{from} came nowhere");
    }

    /// Both sides of a call: the caller's and the PBX's.
    fn sides(&mut self, from: &str) -> (History, History) {
        let (pbx, _) = self.way(from);
        (self.callers.of(from), self.pbxs[pbx].of(from))
    }

    /// Says that in the coming second both sides of a call hear each other.
    fn talks(&mut self, from: &str) {
        let (caller, pbx) = self.sides(from);
        let before = (party(&caller, 440.0), party(&pbx, 700.0));
        thread::sleep(Duration::from_secs(1));
        let (caller, pbx) = self.sides(from);
        let after = (party(&caller, 440.0), party(&pbx, 700.0));
        assert!(after.0 - before.0 > 0.7, "{from} no longer hears the PBX");
        assert!(after.1 - before.1 > 0.7, "{from} is no longer heard");
    }

    /// Hangs up and says that the PBX was told.
    fn hangs_up(&mut self, from: &str) {
        let by = |call: &History| {
            call.messages.first().and_then(|invite| user_of(&invite.text)) == Some(from)
        };
        let number = self.callers.calls().iter().position(by).expect("a call");
        self.callers.act(number, Act::HangUp);
        let (pbx, _) = self.way(from);
        let told = self.pbxs[pbx].until(Duration::from_secs(3), |calls| {
            calls.iter().find(|call| by(call)).is_some_and(History::over)
        });
        assert!(told, "{from} hung up, and the PBX does not know");
    }
}

#[test]
fn o_11_when_a_box_is_killed_new_calls_go_to_the_other_and_calls_there_go_on() {
    let mut site = Site::open();
    let up: Vec<_> = (0..2).map(|_| site.answered().0).collect();
    let mut ways: Vec<_> = up.iter().map(|from| site.way(from)).collect();
    let (dead, alive) = if ways[0].0 == 0 { (&up[0], &up[1]) } else { (&up[1], &up[0]) };
    ways.sort_unstable();
    assert_eq!(ways, [(0, true), (1, true)], "the calls go to the boxes in turn");
    site.talks(dead);
    site.nodes[0].kill();
    let killed = Instant::now();
    while killed.elapsed() < Duration::from_secs(6) {
        let (from, took) = site.answered();
        assert_eq!(site.way(&from), (1, true), "{took:?} after {:?}", killed.elapsed());
        thread::sleep(Duration::from_millis(300));
    }
    // Once it is known to be dead, nobody waits for it.
    let (_, took) = site.answered();
    assert!(took < Duration::from_millis(500), "a call waits {took:?} for a dead box");
    site.talks(alive);
    site.hangs_up(alive);
}

#[test]
fn o_11_with_every_box_dead_calls_go_straight_to_the_pbx_and_come_back_without_flapping() {
    let mut site = Site::open();
    for node in &mut site.nodes {
        node.kill();
    }
    let killed = Instant::now();
    let mut around = Vec::new();
    while killed.elapsed() < Duration::from_secs(6) {
        around.push(site.answered().0);
        thread::sleep(Duration::from_millis(300));
    }
    for from in &around {
        assert_eq!(site.way(from), (0, false), "there is no box to go through");
    }
    let last = around.pop().expect("a call");
    site.talks(&last);
    site.nodes[0].run_again();
    let back = Instant::now();
    let mut through = Vec::new();
    while back.elapsed() < Duration::from_secs(9) {
        let (from, _) = site.answered();
        through.push(site.way(&from).1);
        thread::sleep(Duration::from_millis(200));
    }
    assert!(through.ends_with(&[true; 5]), "calls do not come back: {through:?}");
    let turns = through.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(turns <= 1, "calls go to and fro: {through:?}");
    // A call that went round is not touched by the box that is back.
    site.talks(&last);
    site.hangs_up(&last);
}
