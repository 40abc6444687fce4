//! Every tag in plain words, in the languages of the page.

use call::{Aside, Consent, Direction, Ground, Outcome, Purpose, Verdict};

use crate::{
    entry::{ErasureState, State},
    language::Language,
};

/// How a verdict looks: what needs attention stands out, a call that was rightly not recorded does
/// not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Attention,
    Bad,
    Quiet,
}

impl Tone {
    /// The class in the style sheet.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Attention => "attention",
            Self::Bad => "bad",
            Self::Quiet => "quiet",
        }
    }
}

pub(crate) const fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Recorded => Tone::Good,
        Verdict::Degraded => Tone::Attention,
        Verdict::Blocked | Verdict::Failed => Tone::Bad,
        Verdict::Withdrawn
        | Verdict::Refused
        | Verdict::NotGiven
        | Verdict::Abandoned
        | Verdict::Unconnected
        | Verdict::PolicyOff
        | Verdict::Emergency
        | Verdict::Transparent
        | Verdict::Confidential
        | Verdict::Closed
        | Verdict::Fax => Tone::Quiet,
    }
}

impl Language {
    /// A verdict as a label.
    pub(crate) const fn verdict(self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Recorded => self.pick("recorded", "opgenomen"),
            Verdict::Degraded => self.pick("with gaps", "met hiaten"),
            Verdict::Withdrawn => self.pick("withdrawn", "ingetrokken"),
            Verdict::Refused => self.pick("refused", "geweigerd"),
            Verdict::NotGiven => self.pick("no answer", "geen antwoord"),
            Verdict::Abandoned => self.pick("abandoned", "afgebroken"),
            Verdict::Unconnected => self.pick("not connected", "niet verbonden"),
            Verdict::PolicyOff => self.pick("never recorded", "nooit opgenomen"),
            Verdict::Emergency => self.pick("emergency", "noodoproep"),
            Verdict::Blocked => self.pick("blocked", "geblokkeerd"),
            Verdict::Failed => self.pick("failed", "mislukt"),
            Verdict::Transparent => self.pick("for machines", "voor apparaten"),
            Verdict::Confidential => self.pick("confidential", "vertrouwelijk"),
            Verdict::Closed => self.pick("closed", "gesloten"),
            Verdict::Fax => self.pick("fax", "fax"),
        }
    }

    /// Why a call has this verdict.
    pub(crate) const fn verdict_why(self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Recorded => self.pick(
                "The recording is complete.",
                "De opname is compleet.",
            ),
            Verdict::Degraded => self.pick(
                "The recording is kept and parts of it are missing.",
                "De opname is bewaard en delen ervan ontbreken.",
            ),
            Verdict::Withdrawn => self.pick(
                "The customer took the consent back. Recording stopped at once, and the line's policy decided what became of the sound.",
                "De klant trok de toestemming in. De opname stopte meteen, en het beleid van de lijn bepaalde wat er met het geluid gebeurde.",
            ),
            Verdict::Refused => self.pick(
                "The customer said no. The call went on the same way, and nothing was recorded.",
                "De klant zei nee. Het gesprek ging op dezelfde manier door, en er is niets opgenomen.",
            ),
            Verdict::NotGiven => self.pick(
                "No clear yes was given, and silence is never consent. Nothing was recorded.",
                "Er kwam geen duidelijk ja, en stilte is nooit toestemming. Er is niets opgenomen.",
            ),
            Verdict::Abandoned => self.pick(
                "The caller hung up before deciding. Nothing was recorded.",
                "De beller hing op voor de keuze. Er is niets opgenomen.",
            ),
            Verdict::Unconnected => self.pick(
                "The parties were never connected, so there was nothing to record.",
                "De partijen zijn nooit verbonden, dus er was niets op te nemen.",
            ),
            Verdict::PolicyOff => self.pick(
                "This line is never recorded, so nobody was asked.",
                "Deze lijn wordt nooit opgenomen, dus er is niets gevraagd.",
            ),
            Verdict::Emergency => self.pick(
                "An emergency call goes through without any question.",
                "Een noodoproep gaat zonder vraag door.",
            ),
            Verdict::Blocked => self.pick(
                "Something the proof needs (disk, keys, storage or prompts) was not ready, so the question was not asked. Look at the log.",
                "Iets wat het bewijs nodig heeft (schijf, sleutels, opslag of gesproken tekst) was niet gereed, dus de vraag is niet gesteld. Kijk in het logboek.",
            ),
            Verdict::Failed => self.pick(
                "The customer said yes, and the recording could not be made or kept. Look at the log.",
                "De klant zei ja, en de opname kon niet worden gemaakt of bewaard. Kijk in het logboek.",
            ),
            Verdict::Transparent => self.aside_why(Aside::Transparent),
            Verdict::Confidential => self.aside_why(Aside::Confidential),
            Verdict::Closed => self.aside_why(Aside::Closed),
            Verdict::Fax => self.pick(
                "A fax called, which can hear no question. It was put through at once, and nothing was recorded.",
                "Er belde een fax, die geen vraag kan horen. Die is meteen doorverbonden, en er is niets opgenomen.",
            ),
        }
    }

    /// Why a call was left alone.
    const fn aside_why(self, aside: Aside) -> &'static str {
        match aside {
            Aside::Transparent => self.pick(
                "This line is for machines, such as a lift or an alarm: its calls go through untouched.",
                "Deze lijn is voor apparaten, zoals een lift of een alarm: de gesprekken gaan ongemoeid door.",
            ),
            Aside::Confidential => self.pick(
                "The call was with a confidential helpline, so nothing was asked or recorded.",
                "Het gesprek was met een vertrouwelijke hulplijn, dus er is niets gevraagd of opgenomen.",
            ),
            Aside::Closed => self.pick(
                "The call came outside the opening hours of its line, so nobody was asked.",
                "Het gesprek kwam buiten de openingstijden van de lijn, dus er is niets gevraagd.",
            ),
        }
    }

    pub(crate) const fn consent(self, consent: Consent) -> &'static str {
        match consent {
            Consent::Granted => self.pick(
                "Granted: the key for yes was pressed and the notice was heard in full",
                "Gegeven: de toets voor ja is ingedrukt en de mededeling is helemaal gehoord",
            ),
            Consent::Refused => self.pick(
                "Refused: the key for no was pressed",
                "Geweigerd: de toets voor nee is ingedrukt",
            ),
            Consent::NotGiven => self.pick(
                "Not given: no key, or none that counts",
                "Niet gegeven: geen toets, of geen die telt",
            ),
            Consent::Abandoned => self
                .pick("Abandoned: hung up before deciding", "Afgebroken: opgehangen voor de keuze"),
            Consent::Withdrawn => self.pick(
                "Withdrawn: given first, taken back later",
                "Ingetrokken: eerst gegeven, later teruggenomen",
            ),
            Consent::NotAsked => self.pick("Not asked", "Niet gevraagd"),
        }
    }

    pub(crate) const fn outcome(self, outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::Bridged => {
                self.pick("Both sides were connected", "Beide kanten waren verbonden")
            }
            Outcome::Busy => self.pick("The PBX was busy", "De centrale was bezet"),
            Outcome::NoAnswer => self.pick("Nobody answered", "Niemand nam op"),
            Outcome::Unreachable => {
                self.pick("The PBX could not be reached", "De centrale was onbereikbaar")
            }
            Outcome::CallerGone => {
                self.pick("The caller hung up first", "De beller hing eerder op")
            }
        }
    }

    pub(crate) const fn ground(self, ground: Ground) -> &'static str {
        match ground {
            Ground::Consent => self.pick("Consent", "Toestemming"),
            Ground::ExplicitConsent => self.pick("Explicit consent", "Uitdrukkelijke toestemming"),
            Ground::Contract => self.pick("Contract", "Overeenkomst"),
            Ground::LegalObligation => self.pick("Legal obligation", "Wettelijke plicht"),
            Ground::LegitimateInterest => {
                self.pick("Legitimate interest", "Gerechtvaardigd belang")
            }
            Ground::PublicTask => self.pick("Public task", "Publieke taak"),
            Ground::VitalInterest => self.pick("Vital interest", "Vitaal belang"),
        }
    }

    /// What a ground means, with its article.
    pub(crate) const fn ground_why(self, ground: Ground) -> &'static str {
        match ground {
            Ground::Consent => self.pick(
                "The customer heard the notice and pressed the key for yes (GDPR Art. 6(1)(a)). It can be taken back at any time.",
                "De klant hoorde de mededeling en drukte op de toets voor ja (AVG art. 6 lid 1 a). Dat kan altijd worden ingetrokken.",
            ),
            Ground::ExplicitConsent => self.pick(
                "The customer said yes and confirmed it in a second step (GDPR Art. 9(2)(a)).",
                "De klant zei ja en bevestigde dat in een tweede stap (AVG art. 9 lid 2 a).",
            ),
            Ground::Contract => self.pick(
                "A contract was made in this part of the call (GDPR Art. 6(1)(b)).",
                "In dit deel van het gesprek is een overeenkomst gesloten (AVG art. 6 lid 1 b).",
            ),
            Ground::LegalObligation => self.pick(
                "A law demands this recording (GDPR Art. 6(1)(c)).",
                "Een wet eist deze opname (AVG art. 6 lid 1 c).",
            ),
            Ground::LegitimateInterest => self.pick(
                "An interest that was weighed against the customer's, who may object (GDPR Art. 6(1)(f)).",
                "Een belang dat is afgewogen tegen dat van de klant, die bezwaar kan maken (AVG art. 6 lid 1 f).",
            ),
            Ground::PublicTask => self.pick(
                "A task in the public interest (GDPR Art. 6(1)(e)).",
                "Een taak van algemeen belang (AVG art. 6 lid 1 e).",
            ),
            Ground::VitalInterest => self.pick(
                "To protect somebody's life (GDPR Art. 6(1)(d)).",
                "Om iemands leven te beschermen (AVG art. 6 lid 1 d).",
            ),
        }
    }

    pub(crate) const fn purpose(self, purpose: Purpose) -> &'static str {
        match purpose {
            Purpose::Quality => self.pick("quality", "kwaliteit"),
            Purpose::Training => self.pick("training", "training"),
            Purpose::Evidence => self.pick("evidence", "bewijs"),
            Purpose::Analysis => self.pick("analysis", "analyse"),
        }
    }

    pub(crate) const fn state(self, state: State) -> &'static str {
        match state {
            State::Permitted => self.pick("allowed", "toegestaan"),
            State::Recording => self.pick("being recorded", "wordt opgenomen"),
            State::Sealed => self.pick("sealed", "verzegeld"),
            State::Stored => self.pick("stored", "opgeslagen"),
            State::Failed => self.pick("failed", "mislukt"),
        }
    }

    pub(crate) const fn state_why(self, state: State) -> &'static str {
        match state {
            State::Permitted => self.pick(
                "The permit is given and there is no sound yet.",
                "De toestemming is vastgelegd en er is nog geen geluid.",
            ),
            State::Recording => self.pick(
                "The call is being recorded at this moment. It can be heard when it is complete.",
                "Het gesprek wordt op dit moment opgenomen. Het is te horen als het compleet is.",
            ),
            State::Sealed => self.pick(
                "Complete and signed, on its way to the store.",
                "Compleet en ondertekend, onderweg naar de opslag.",
            ),
            State::Stored => self.pick(
                "In the store, read back and found equal.",
                "In de opslag, teruggelezen en gelijk bevonden.",
            ),
            State::Failed => self.pick(
                "It could not be made or kept. Look at the log.",
                "De opname kon niet worden gemaakt of bewaard. Kijk in het logboek.",
            ),
        }
    }

    pub(crate) const fn direction(self, direction: Direction) -> &'static str {
        match direction {
            Direction::Inbound => self.pick("Incoming", "Inkomend"),
            Direction::Outbound => self.pick("Outgoing", "Uitgaand"),
        }
    }

    pub(crate) const fn erasure(self, state: ErasureState) -> &'static str {
        match state {
            ErasureState::Ordered => self.pick("erasure ordered", "wissing opgedragen"),
            ErasureState::Erased => self.pick("erased", "gewist"),
            ErasureState::Unrecoverable => self.pick("unrecoverable", "onherstelbaar"),
        }
    }

    pub(crate) const fn erasure_why(self, state: ErasureState) -> &'static str {
        match state {
            ErasureState::Ordered => self.pick(
                "not done yet",
                "nog niet gedaan",
            ),
            ErasureState::Erased => self.pick(
                "no key in use opens it; a backup of the keys may until they are renewed",
                "geen sleutel in gebruik opent het; een back-up van de sleutels misschien nog tot zij zijn vernieuwd",
            ),
            ErasureState::Unrecoverable => self.pick(
                "nothing opens it any more, backups included",
                "niets opent het nog, ook geen back-up",
            ),
        }
    }
}
