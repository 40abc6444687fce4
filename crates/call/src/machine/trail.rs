//! The evidence of a decision, put together from what was heard and pressed.

use crate::{
    CallId, Evidence, Line, Press, PromptHeard, RecordingId, Time,
    machine::{route::asking, sound::Heard},
};

/// How many presses are listed. Of more, the last one takes the place of the one before it, so
/// that the press that decided is always in the list.
const PRESSES: usize = 128;

/// The presses of the customer until the decision is committed.
#[derive(Default)]
pub(super) struct Presses(Vec<Press>);

impl Presses {
    pub(super) fn push(&mut self, press: Press) {
        self.0.truncate(PRESSES - 1);
        self.0.push(press);
    }
}

/// Everything that proves the decision; `None` for a line that asks nothing.
pub(super) fn evidence(
    call: CallId,
    recording: RecordingId,
    line: &Line,
    heard: impl Iterator<Item = Heard>,
    presses: &Presses,
    decided_at: Time,
) -> Option<Evidence> {
    let asking = asking(line)?;
    let named = |heard: Heard| {
        let id = asking.prompt_id(heard.prompt)?;
        let Heard { prompt, from, until, samples, whole } = heard;
        Some(PromptHeard { prompt, id, from, until, samples, whole })
    };
    Some(Evidence {
        call,
        recording,
        tenant: line.tenant.clone(),
        line: line.id.clone(),
        policy: line.policy.id.clone(),
        policy_version: line.policy.version,
        policy_hash: line.policy.hash,
        ground: asking.ground,
        purposes: asking.purposes,
        language: asking.language,
        prompts: heard.filter_map(named).collect(),
        presses: presses.0.clone(),
        decided_at,
    })
}
