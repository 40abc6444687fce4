//! What can go wrong for a person or a program: what happened, and what to do (RFC 9457).

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    archive::{OpenError, Unavailable},
    floor::{AgentError, AskError, PauseError, WithdrawError},
    language::Language,
    session::{DeadLink, NoSession},
    sound::ReadError,
};

/// Stands in a remedy where the command that prints a new link belongs.
pub(crate) const COMMAND: &str = "{command}";

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $slug:literal, $status:ident {
        en: $en_title:literal, $en_remedy:literal;
        nl: $nl_title:literal, $nl_remedy:literal;
    })+) => {
        /// A problem, as a page or as JSON.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Problem {
            $($(#[$doc])* $name,)+
        }

        impl Problem {
            /// Every problem.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The last part of its type's address.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$name => $slug,)+ }
            }

            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// What happened.
            pub(crate) const fn title(self, language: Language) -> &'static str {
                match self { $(Self::$name => language.pick($en_title, $nl_title),)+ }
            }

            /// What to do. It may hold [`COMMAND`].
            pub(crate) const fn remedy(self, language: Language) -> &'static str {
                match self { $(Self::$name => language.pick($en_remedy, $nl_remedy),)+ }
            }
        }
    };
}

problems! {
    /// The `Host` header names no loopback address: somebody's domain points here.
    ForeignHost = "foreign-host", MISDIRECTED_REQUEST {
        en: "This page answers only to its own address", "Open it as 127.0.0.1 or localhost on the machine that runs Jawoord.";
        nl: "Deze pagina antwoordt alleen op het eigen adres", "Open die als 127.0.0.1 of localhost op de machine waarop Jawoord draait.";
    }
    /// The request was made by another site's page.
    ForeignOrigin = "foreign-origin", FORBIDDEN {
        en: "Another site asked for this", "Open the page itself and try again there. A program sends its own address as Origin.";
        nl: "Een andere site vroeg hierom", "Open de pagina zelf en probeer het daar opnieuw. Een programma stuurt het eigen adres mee als Origin.";
    }
    /// No session, or a forged one.
    NoSession = "no-session", UNAUTHORIZED {
        en: "You are not signed in", "Open the page with a one-time link. On the machine that runs Jawoord, {command} prints one.";
        nl: "U bent niet aangemeld", "Open de pagina met een eenmalige link. Op de machine waarop Jawoord draait toont {command} er een.";
    }
    /// A session that was open or idle too long.
    SessionOver = "session-over", UNAUTHORIZED {
        en: "Your session has ended", "A session ends after 30 minutes without use and after 12 hours. Open the page with a new link: {command} prints one.";
        nl: "Uw sessie is afgelopen", "Een sessie eindigt na 30 minuten zonder gebruik en na 12 uur. Open de pagina met een nieuwe link: {command} toont er een.";
    }
    /// A link this process never made.
    LinkUnknown = "link-unknown", UNAUTHORIZED {
        en: "This link is not valid", "Copy it whole, or get a new one: {command} prints it. Links end when Jawoord restarts.";
        nl: "Deze link is niet geldig", "Kopieer hem helemaal, of haal een nieuwe: {command} toont hem. Links eindigen als Jawoord herstart.";
    }
    /// A link that was used, or replaced by a newer one.
    LinkUsed = "link-used", UNAUTHORIZED {
        en: "This link has been used", "Each link opens the page once, and a newer link ends the older one. If it was not you who used it, tell whoever runs Jawoord. {command} prints a new link.";
        nl: "Deze link is al gebruikt", "Elke link opent de pagina één keer, en een nieuwere link beëindigt de oudere. Hebt u hem niet zelf gebruikt, meld dat dan aan de beheerder van Jawoord. {command} toont een nieuwe link.";
    }
    /// A link older than ten minutes.
    LinkTooOld = "link-too-old", UNAUTHORIZED {
        en: "This link is too old", "A link works for ten minutes. {command} prints a new one.";
        nl: "Deze link is te oud", "Een link werkt tien minuten. {command} toont een nieuwe.";
    }
    /// No recording with this id.
    UnknownRecording = "unknown-recording", NOT_FOUND {
        en: "There is no such recording", "It may have been deleted when its time had come. Look for it in the list.";
        nl: "Deze opname bestaat niet", "Misschien is de opname verwijderd toen de termijn voorbij was. Zoek in de lijst.";
    }
    /// No such call runs.
    UnknownCall = "unknown-call", NOT_FOUND {
        en: "No such call runs now", "It may have ended: look for it in the list. A program names a call by its id, which X-Jawoord-Call tells the PBX, or by the Call-ID of either leg.";
        nl: "Dit gesprek loopt niet", "Misschien is het voorbij: zoek in de lijst. Een programma noemt een gesprek bij het id, dat X-Jawoord-Call aan de centrale vertelt, of bij de Call-ID van een van beide kanten.";
    }
    /// A call without a running recording.
    NotRecorded = "not-recorded", CONFLICT {
        en: "This call is not being recorded now", "There is nothing to pause. The list of calls that run says which are recorded.";
        nl: "Dit gesprek wordt nu niet opgenomen", "Er is niets te onderbreken. De lijst van lopende gesprekken zegt welke worden opgenomen.";
    }
    /// A call whose customer has agreed to nothing.
    NothingToWithdraw = "nothing-to-withdraw", CONFLICT {
        en: "There is nothing to withdraw in this call", "Its customer has agreed to no recording, has withdrawn already, or a law demands the recording. What was recorded earlier is deleted by its own id.";
        nl: "In dit gesprek valt niets in te trekken", "De klant heeft in geen opname toegestemd, heeft dat al ingetrokken, of een wet eist de opname. Wat eerder is opgenomen, wordt met het eigen id verwijderd.";
    }
    /// A call in which nobody may be asked.
    NotAskable = "not-askable", CONFLICT {
        en: "Nobody can be asked in this call now", "The house may ask in a connected call whose policy says agent_asks for its direction, as often as ask_times says, and not again after a yes or a no.";
        nl: "In dit gesprek kan nu niets worden gevraagd", "Uw kant mag vragen in een verbonden gesprek waarvan het beleid agent_asks zegt voor die richting, zo vaak als ask_times zegt, en niet opnieuw na een ja of een nee.";
    }
    /// A word about an agent that cannot be read.
    BadAgent = "bad-agent", BAD_REQUEST {
        en: "This does not say who talks to the customer", "Send JSON: agent is the agent's name or number, or null when nobody talks to the customer any more; queue, if there is one, has letters, digits, '-', '_' and '.', 32 at most.";
        nl: "Dit zegt niet wie er met de klant praat", "Stuur JSON: agent is de naam of het nummer van de medewerker, of null als er niemand meer met de klant praat; queue, als die er is, heeft letters, cijfers, '-', '_' en '.', ten hoogste 32.";
    }
    /// Nobody is asked for what could not be kept.
    NothingKept = "nothing-kept", SERVICE_UNAVAILABLE {
        en: "Nobody is asked, because the recording could not be kept", "Look at what is wrong on this page, or at the log of Jawoord, and try again.";
        nl: "Er wordt niets gevraagd, omdat de opname niet kan worden bewaard", "Kijk op deze pagina wat er mis is, of in het logboek van Jawoord, en probeer het opnieuw.";
    }
    /// No page or resource here.
    UnknownPage = "unknown-page", NOT_FOUND {
        en: "There is nothing here", "Start again from the list of recordings.";
        nl: "Hier is niets", "Begin opnieuw bij de lijst van opnamen.";
    }
    /// A resource that does not take this method.
    WrongMethod = "wrong-method", METHOD_NOT_ALLOWED {
        en: "This cannot be done here", "The Allow header of the answer names what can be done.";
        nl: "Dit kan hier niet", "De header Allow van het antwoord noemt wat wel kan.";
    }
    /// A query with a value that cannot be read.
    BadQuery = "bad-query", BAD_REQUEST {
        en: "The address asks for something unreadable", "Use a whole number for limit, and for before the microseconds since 1970 that the link to older ones uses.";
        nl: "Het adres vraagt iets onleesbaars", "Gebruik een geheel getal voor limit, en voor before de microseconden sinds 1970 zoals in de link naar oudere.";
    }
    /// Not sealed yet.
    NotReady = "not-ready", CONFLICT {
        en: "The recording is not complete yet", "Wait until the call has ended, then try again.";
        nl: "De opname is nog niet compleet", "Wacht tot het gesprek voorbij is en probeer het opnieuw.";
    }
    /// Every second is erased.
    Erased = "erased", GONE {
        en: "The recording is erased", "Nothing of it can be opened any more. The proof of its erasure is in the audit tree.";
        nl: "De opname is gewist", "Niets ervan kan nog worden geopend. Het bewijs van de wissing staat in het auditlogboek.";
    }
    /// Not what was sealed.
    Damaged = "damaged", INTERNAL_SERVER_ERROR {
        en: "The recording is not what was sealed", "Verify it: each damaged part is named. Restore it from a backup if there is one.";
        nl: "De opname is niet wat werd verzegeld", "Controleer de opname: elk beschadigd deel wordt genoemd. Zet een back-up terug als die er is.";
    }
    /// A range of which no byte exists.
    NoSuchRange = "no-such-range", RANGE_NOT_SATISFIABLE {
        en: "The recording is shorter than that", "The Content-Range header of the answer says how long it is.";
        nl: "De opname is korter dan dat", "De header Content-Range van het antwoord zegt hoe lang de opname is.";
    }
    /// Ledger, store or key provider did not answer.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE {
        en: "The archive does not answer", "Try again in a moment. If it stays so, look at the log of Jawoord.";
        nl: "Het archief antwoordt niet", "Probeer het straks opnieuw. Blijft het zo, kijk dan in het logboek van Jawoord.";
    }
    /// A fault of ours.
    Fault = "fault", INTERNAL_SERVER_ERROR {
        en: "Something is wrong with Jawoord itself", "Try again. If it stays so, report it with the time it happened.";
        nl: "Er is iets mis met Jawoord zelf", "Probeer het opnieuw. Blijft het zo, meld het dan met het tijdstip waarop het gebeurde.";
    }
}

impl Problem {
    /// The problem as JSON (RFC 9457 §3.1); `remedy` is our extension member.
    pub(crate) fn json(self, language: Language, command: &str) -> Response {
        let body = json!({
            "type": format!("/problems/{}", self.name()),
            "title": self.title(language),
            "status": self.status().as_u16(),
            "remedy": self.remedy(language).replace(COMMAND, command),
        });
        let kind = HeaderValue::from_static("application/problem+json");
        (self.status(), [(header::CONTENT_TYPE, kind)], body.to_string()).into_response()
    }
}

impl IntoResponse for Problem {
    /// An answer that only carries the problem: the gate knows the language and whether a person
    /// or a program asked, and writes it out.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Unavailable> for Problem {
    fn from(Unavailable: Unavailable) -> Self {
        Self::Unavailable
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Unknown => Self::UnknownCall,
            AskError::NotNow => Self::NotAskable,
            AskError::NotReady => Self::NothingKept,
        }
    }
}

impl From<AgentError> for Problem {
    fn from(error: AgentError) -> Self {
        match error {
            AgentError::Unknown => Self::UnknownCall,
        }
    }
}

impl From<PauseError> for Problem {
    fn from(error: PauseError) -> Self {
        match error {
            PauseError::Unknown => Self::UnknownCall,
            PauseError::NotRecorded => Self::NotRecorded,
        }
    }
}

impl From<WithdrawError> for Problem {
    fn from(error: WithdrawError) -> Self {
        match error {
            WithdrawError::Unknown => Self::UnknownCall,
            WithdrawError::Nothing => Self::NothingToWithdraw,
        }
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Unknown => Self::UnknownRecording,
            OpenError::NotReady => Self::NotReady,
            OpenError::Erased => Self::Erased,
            OpenError::Damaged => Self::Damaged,
            OpenError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damaged { .. } => Self::Damaged,
            ReadError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<DeadLink> for Problem {
    fn from(link: DeadLink) -> Self {
        match link {
            DeadLink::Unknown => Self::LinkUnknown,
            DeadLink::Used => Self::LinkUsed,
            DeadLink::TooOld => Self::LinkTooOld,
        }
    }
}

impl From<NoSession> for Problem {
    fn from(session: NoSession) -> Self {
        match session {
            NoSession::Absent => Self::NoSession,
            NoSession::Over => Self::SessionOver,
        }
    }
}
