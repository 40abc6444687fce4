//! The script's notice where nothing is asked: what the customer hears, and which key means what.

use call::*;

use crate::{
    choice::{Choice, Decision},
    clock::Clock,
    reference::Script,
    word::{Stop, Word},
};

impl Script<'_> {
    /// Tells the customer that they are recorded. Whether they heard it decides, and an objection does.
    pub(super) fn tell(&mut self, clock: &mut Clock) -> Result<Decision, Stop> {
        let keys = self.asking.keys;
        let (notice, more) = match self.asking.ground {
            Ground::LegalObligation => (Prompt::LegalObligation, Prompt::ObligationInfo),
            _ => (Prompt::LegitimateInterest, Prompt::Info),
        };
        let (mut saying, mut wants_to_know) = (notice, false);
        self.speak(saying);
        loop {
            match self.listen(clock, None, Some(saying))? {
                Word::Late => return Ok(Decision::TooLate),
                Word::Fax => return Ok(Decision::Of(Choice::Fax)),
                Word::Silence { .. } if saying == more => {
                    return Ok(Decision::Of(Choice::May));
                }
                Word::Silence { whole: false } => return Ok(Decision::Of(Choice::Open)),
                Word::Silence { whole: true } if wants_to_know => {
                    clock.explain(self.now);
                    saying = more;
                    self.speak(saying);
                }
                Word::Silence { whole: true } => return Ok(Decision::Of(Choice::May)),
                Word::Key(key) if key == keys.withdraw && self.can_be_ended() => {
                    return Ok(Decision::Of(Choice::MayNot));
                }
                Word::Key(key) => wants_to_know |= key == keys.info,
                _ => {}
            }
        }
    }
}
