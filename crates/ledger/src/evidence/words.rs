//! The page's words for values, in Dutch and English.

use call::{
    AgentSource, Consent, Direction, FactKind, Ground, Hand, Outcome, Prompt, Purpose, Reason,
    Transport, Verdict,
};

/// A language of the page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tongue {
    Dutch,
    English,
}

impl Tongue {
    /// The language tag (BCP 47).
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::Dutch => "nl",
            Self::English => "en",
        }
    }

    /// The text in this language.
    pub(super) const fn pick(self, dutch: &'static str, english: &'static str) -> &'static str {
        match self {
            Self::Dutch => dutch,
            Self::English => english,
        }
    }

    pub(super) const fn ground(self, ground: Ground) -> &'static str {
        match ground {
            Ground::Consent => {
                self.pick("Toestemming (AVG art. 6 lid 1 a)", "Consent (GDPR Art. 6(1)(a))")
            }
            Ground::ExplicitConsent => self.pick(
                "Uitdrukkelijke toestemming (AVG art. 9 lid 2 a)",
                "Explicit consent (GDPR Art. 9(2)(a))",
            ),
            Ground::Contract => {
                self.pick("Overeenkomst (AVG art. 6 lid 1 b)", "Contract (GDPR Art. 6(1)(b))")
            }
            Ground::LegalObligation => self.pick(
                "Wettelijke plicht (AVG art. 6 lid 1 c)",
                "Legal obligation (GDPR Art. 6(1)(c))",
            ),
            Ground::LegitimateInterest => self.pick(
                "Gerechtvaardigd belang (AVG art. 6 lid 1 f)",
                "Legitimate interest (GDPR Art. 6(1)(f))",
            ),
            Ground::PublicTask => {
                self.pick("Publieke taak (AVG art. 6 lid 1 e)", "Public task (GDPR Art. 6(1)(e))")
            }
            Ground::VitalInterest => self
                .pick("Vitaal belang (AVG art. 6 lid 1 d)", "Vital interest (GDPR Art. 6(1)(d))"),
        }
    }

    pub(super) const fn purpose(self, purpose: Purpose) -> &'static str {
        match purpose {
            Purpose::Quality => self.pick("kwaliteit", "quality"),
            Purpose::Training => self.pick("training", "training"),
            Purpose::Evidence => self.pick("bewijs", "evidence"),
            Purpose::Analysis => self.pick("analyse", "analysis"),
        }
    }

    pub(super) const fn direction(self, direction: Direction) -> &'static str {
        match direction {
            Direction::Inbound => self.pick("de klant belde", "the customer called"),
            Direction::Outbound => self.pick("de klant werd gebeld", "the customer was called"),
        }
    }

    pub(super) const fn consent(self, consent: Consent) -> &'static str {
        match consent {
            Consent::Granted => self.pick("gegeven", "granted"),
            Consent::Refused => self.pick("geweigerd", "refused"),
            Consent::NotGiven => self.pick("niet gegeven", "not given"),
            Consent::Abandoned => self.pick("opgehangen voor de keuze", "hung up before deciding"),
            Consent::Withdrawn => {
                self.pick("gegeven en later ingetrokken", "granted, and withdrawn later")
            }
            Consent::NotAsked => self.pick("niet gevraagd", "not asked"),
        }
    }

    pub(super) const fn verdict(self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Recorded => self.pick("opgenomen", "recorded"),
            Verdict::Degraded => self.pick("opgenomen, met hiaten", "recorded, with gaps"),
            Verdict::Withdrawn => self.pick("ingetrokken", "withdrawn"),
            Verdict::Refused => self.pick("geweigerd, niet opgenomen", "refused, not recorded"),
            Verdict::NotGiven => {
                self.pick("geen antwoord, niet opgenomen", "no answer, not recorded")
            }
            Verdict::Abandoned => {
                self.pick("afgebroken, niet opgenomen", "abandoned, not recorded")
            }
            Verdict::Unconnected => self.pick("nooit verbonden", "never connected"),
            Verdict::PolicyOff => self.pick("lijn zonder opname", "line without recording"),
            Verdict::Emergency => self.pick("noodoproep", "emergency call"),
            Verdict::Transparent => self.pick("lijn voor apparaten", "line for machines"),
            Verdict::Confidential => self.pick("vertrouwelijke hulplijn", "confidential helpline"),
            Verdict::Closed => self.pick("buiten openingstijd", "outside opening hours"),
            Verdict::Fax => self.pick("faxoproep", "fax call"),
            Verdict::Blocked => self.pick("niet gereed, niet opgenomen", "not ready, not recorded"),
            Verdict::Failed => self.pick("opname mislukt", "recording failed"),
        }
    }

    pub(super) const fn prompt(self, prompt: Prompt) -> &'static str {
        match prompt {
            Prompt::Notice => self.pick("Mededeling", "Notice"),
            Prompt::Question => self.pick("Vraag", "Question"),
            Prompt::Reask => self.pick("Vraag, herhaald", "Question, repeated"),
            Prompt::WrongKey => self.pick("Onbekende toets", "Unknown key"),
            Prompt::Granted => self.pick("Bevestiging: ja", "Confirmation: yes"),
            Prompt::Refused => self.pick("Bevestiging: nee", "Confirmation: no"),
            Prompt::NotGiven => self.pick("Geen keuze gemaakt", "No choice made"),
            Prompt::Withdrawn => self.pick("Bevestiging: gestopt", "Confirmation: stopped"),
            Prompt::Info => self.pick("Uitleg", "Explanation"),
            Prompt::NoAnswer => self.pick("Niemand neemt op", "Nobody answers"),
            Prompt::AgentAsk => self
                .pick("Mededeling en vraag tijdens het gesprek", "Notice and question in the call"),
            Prompt::Explicit => self.pick("Tweede vraag", "Second question"),
            Prompt::LegitimateInterest => {
                self.pick("Mededeling: gerechtvaardigd belang", "Notice: legitimate interest")
            }
            Prompt::LegalObligation => {
                self.pick("Mededeling: wettelijke plicht", "Notice: legal obligation")
            }
            Prompt::ObligationInfo => {
                self.pick("Uitleg: wettelijke plicht", "Explanation: legal obligation")
            }
            Prompt::Resume => self.pick("Vraag om weer op te nemen", "Question to record again"),
        }
    }

    pub(super) const fn transport(self, transport: Transport) -> &'static str {
        match transport {
            Transport::Rfc4733 => {
                self.pick("telefoongebeurtenis (RFC 4733)", "telephone event (RFC 4733)")
            }
            Transport::Info => "SIP INFO",
            Transport::Inband => self.pick("toon in het geluid", "tone in the sound"),
        }
    }

    pub(super) const fn fact(self, kind: FactKind) -> &'static str {
        match kind {
            FactKind::NodeStarted => self.pick("Het programma begon", "The program began"),
            FactKind::ConfigurationChanged => {
                self.pick("De configuratie veranderde", "The configuration changed")
            }
            FactKind::CallOpened => self.pick(
                "Het gesprek kwam binnen en was nog niet aangenomen",
                "The call came in and was not answered yet",
            ),
            FactKind::ConsentDecided => self.pick("De keuze stond vast", "The choice was made"),
            FactKind::WithdrawalTold => self.passed_on(),
            FactKind::CustomerObjected => self.objected(),
            FactKind::RecordingPermitted => self.pick(
                "Het bewijs werd vastgelegd; vanaf nu mocht worden opgenomen",
                "The evidence was committed; from here on recording was allowed",
            ),
            FactKind::SlipRevised => self
                .pick("De sleutel van de opname werd verzegeld", "The recording's key was sealed"),
            FactKind::RecordingSealed => {
                self.pick("De opname werd afgesloten", "The recording was closed")
            }
            FactKind::RecordingStored => self.pick(
                "De opname werd bewaard en nagelezen",
                "The recording was stored and read back",
            ),
            FactKind::RecordingRecovered => self.pick(
                "De opname werd na een storing afgesloten",
                "The recording was closed after a crash",
            ),
            FactKind::RecordingGap => self.pick("Er ontbreekt geluid", "Sound is missing"),
            FactKind::RecordingPaused => self.pick("De opname pauzeerde", "The recording paused"),
            FactKind::RecordingResumed => {
                self.pick("De opname ging verder", "The recording went on")
            }
            FactKind::AgentConnected => self.attended(Some(true)),
            FactKind::AgentLeft => self.attended(Some(false)),
            FactKind::AgentUnknown => self.attended(None),
            FactKind::EraseIntended => {
                self.pick("Wissing van een deel werd opgedragen", "Erasure of a part was ordered")
            }
            FactKind::Erased => self.pick("Een deel is gewist", "A part is erased"),
            FactKind::DeletionIntended => {
                self.pick("Verwijdering werd opgedragen", "Deletion was ordered")
            }
            FactKind::RecordingDeleted => {
                self.pick("De opname is verwijderd", "The recording is deleted")
            }
            FactKind::Unrecoverable => self
                .pick("Ook geen reservekopie opent het nog", "No backup opens it any more either"),
            FactKind::EpochOpened => self.pick("Een sleutelperiode begon", "A key epoch began"),
            FactKind::EpochClosed => self.pick("Een sleutelperiode eindigde", "A key epoch ended"),
            FactKind::EpochDestroyed => self.pick("Sleutel vernietigd", "A key was destroyed"),
            FactKind::RecordingRead => self.pick("Iemand raadpleegde het", "Somebody looked at it"),
            FactKind::Reconciled => self.pick("Boeken zijn vergeleken", "The books were compared"),
            FactKind::CallEnded => self.pick("Het gesprek was voorbij", "The call was over"),
        }
    }

    const fn objected(self) -> &'static str {
        self.pick("De klant maakte bezwaar", "The customer objected")
    }

    /// The customer withdrew by what they said, and pressed nothing.
    const fn passed_on(self) -> &'static str {
        self.pick(
            "De klant zei niet te willen worden opgenomen, en dat werd doorgegeven",
            "The customer said not to want to be recorded, and this was passed on",
        )
    }

    /// Whether an agent talked to the customer from a moment on, as far as that was known.
    const fn attended(self, known: Option<bool>) -> &'static str {
        match known {
            Some(true) => self.pick(
                "Vanaf nu sprak een medewerker met de klant",
                "From here on an agent talked to the customer",
            ),
            Some(false) => self.pick(
                "Vanaf nu sprak geen medewerker met de klant",
                "From here on no agent talked to the customer",
            ),
            None => self.pick(
                "Vanaf nu was niet bekend of een medewerker met de klant sprak",
                "From here on it was not known whether an agent talked to the customer",
            ),
        }
    }

    /// The fields of facts that a reader asks for.
    pub(super) const ASKED: [&'static str; 11] = [
        "consent",
        "outcome",
        "verdict",
        "reason",
        "seconds",
        "agent",
        "queue",
        "by",
        "access",
        "missing_ms",
        "version",
    ];

    /// The name of a field of a fact with this value; that of [`Tongue::ASKED`] in English.
    pub(super) fn detail(self, name: &'static str, value: &str) -> &'static str {
        match name {
            "consent" => self.pick("keuze", "choice"),
            "outcome" => self.pick("gesprek", "call"),
            "verdict" => self.pick("opname", "recording"),
            "reason" => self.pick("reden", "reason"),
            "seconds" => self.pick("seconden", "seconds"),
            "agent" => self.pick("medewerker", "agent"),
            "queue" => self.pick("wachtrij", "queue"),
            // Who says that an agent is there has not done it.
            "by" if AgentSource::from_name(value).is_some() => self.pick("bron", "source"),
            "by" => self.pick("door", "by"),
            "access" => self.pick("hoe", "how"),
            "missing_ms" => self.pick("ontbrekend, ms", "missing, ms"),
            "version" => self.pick("versie", "version"),
            other => other,
        }
    }

    /// The value of such a field in words, where there are words for it.
    pub(super) fn value(self, name: &str, value: &str) -> Option<&'static str> {
        Some(match name {
            "consent" => self.consent(Consent::from_name(value)?),
            "outcome" => self.outcome(Outcome::from_name(value)?),
            "verdict" => self.verdict(Verdict::from_name(value)?),
            "reason" => self.reason(Reason::from_name(value)?),
            "by" => match AgentSource::from_name(value) {
                Some(source) => self.source(source),
                None => self.hand(Hand::from_name(value)?),
            },
            _ => return None,
        })
    }

    const fn outcome(self, outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::Bridged => self.pick("verbonden", "connected"),
            Outcome::Busy => self.pick("bezet", "busy"),
            Outcome::NoAnswer => self.pick("niemand nam op", "nobody answered"),
            Outcome::Unreachable => self.pick("onbereikbaar", "out of reach"),
            Outcome::CallerGone => self.pick("opgehangen", "hung up"),
        }
    }

    const fn reason(self, reason: Reason) -> &'static str {
        match reason {
            Reason::Retention => self.pick("bewaartermijn voorbij", "retention over"),
            Reason::Withdrawal => self.pick("toestemming ingetrokken", "consent withdrawn"),
            Reason::Objection => self.pick("bezwaar", "objection"),
            Reason::Request => self.pick("verzoek", "request"),
            Reason::Empty => self.pick("geen geluid", "no sound"),
        }
    }

    const fn source(self, source: AgentSource) -> &'static str {
        match source {
            AgentSource::Api => {
                self.pick("een programma of de beheerder", "a program or the operator")
            }
            AgentSource::Ami => {
                self.pick("de telefooncentrale, via AMI", "the telephone exchange, by AMI")
            }
            AgentSource::Sip => {
                self.pick("de telefooncentrale, via SIP", "the telephone exchange, by SIP")
            }
        }
    }

    const fn hand(self, hand: Hand) -> &'static str {
        match hand {
            Hand::Operator => self.pick("de beheerder", "the operator"),
            Hand::Agent => self.pick("de medewerker", "the agent"),
            Hand::Limit => self.pick("de tijdslimiet", "the time limit"),
        }
    }
}
