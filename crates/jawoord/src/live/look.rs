//! The whole look: machine, keys and store, every peer, and if it is wanted a call.

use std::{path::Path, sync::Arc, time::SystemTime};

use ::call::RecordingId;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::task::JoinSet;

use super::{
    ask::Way,
    call,
    finding::Finding,
    machine,
    reach::{self, Reached},
    subject::Subject,
    wanted::Wanted,
};
use crate::config::judge::Settings;

/// Every peer, then the call that is wanted.
pub async fn peers_and_call(subject: &Arc<Subject>, wanted: Option<&Wanted>) -> Vec<Finding> {
    let Peers { mut findings, trunks } = peers(subject).await;
    if let Some(wanted) = wanted {
        findings.extend(call::call(subject, &trunks, wanted).await);
    }
    findings
}

/// What was found of the peers.
struct Peers {
    /// In words.
    findings: Vec<Finding>,
    /// The addresses of the trunks by the trunk's place, in the order in which a call tries them,
    /// and whether each answers.
    trunks: Vec<Vec<(Way, bool)>>,
}

/// Descriptors, media ports, the clock, and what the judgement of the configuration warned of.
/// It binds every media port once, which blocks.
#[must_use]
pub fn machine(settings: &Settings, running: bool) -> Vec<Finding> {
    let mut findings: Vec<Finding> = machine::warnings(settings).collect();
    findings.extend(machine::ranges(settings, running));
    findings.push(machine::descriptors(settings));
    findings.extend(clock(&settings.data.path));
    findings
}

fn clock(data: &Path) -> Option<Finding> {
    machine::clock(data, SystemTime::now())
}

/// Every address of every peer, all at the same time.
async fn peers(subject: &Arc<Subject>) -> Peers {
    let settings = &subject.settings;
    let mut looks = JoinSet::new();
    let mut order = 0;
    let mut found = Peers {
        findings: Vec::new(),
        trunks: settings.trunks.iter().map(|_| Vec::new()).collect(),
    };
    for (place, (peer, reach)) in reach::peers(&settings.pbxs, &settings.trunks).enumerate() {
        if reach.targets.is_empty() {
            let said = "it has no target: its calls come in, and none go there";
            found.findings.push(Finding::ok(&peer, said));
        }
        // A call tries what stands for less first; equals by chance, here by the file.
        let mut targets: Vec<_> = reach.targets.clone();
        targets.sort_by_key(|target| target.priority);
        for target in targets {
            order += 1;
            let (subject, peer, reach) = (Arc::clone(subject), peer.clone(), Arc::clone(reach));
            looks.spawn(async move {
                (order, place, reach::target(subject, peer, reach, target).await)
            });
        }
    }
    let mut all = looks.join_all().await;
    all.sort_by_key(|(order, ..)| *order);
    for (_, place, Reached { findings, ways }) in all {
        found.findings.extend(findings);
        let trunk = place.checked_sub(settings.pbxs.len());
        if let Some(trunk) = trunk.and_then(|place| found.trunks.get_mut(place)) {
            trunk.extend(ways);
        }
    }
    found
}

/// An id that no recording has.
#[must_use]
pub fn trial() -> Option<RecordingId> {
    let mut id = [0; 16];
    SystemRandom::new().fill(&mut id).ok().map(|()| RecordingId::from_bytes(id))
}
