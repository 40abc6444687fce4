//! Alarms and troubles in plain words: what is wrong, and what to do about it.

use call::{Alarm, DeadKeys, Party, Unheard};
use maud::{Markup, html};

use crate::{floor::Ailment, incident::Incident, language::Language, page::figure};

/// What was wrong with a call that is over.
pub(crate) fn incidents(language: Language, incidents: &[Incident]) -> Markup {
    html! {
        ul.incidents {
            @for incident in incidents {
                li {
                    strong { (language.alarm(incident.alarm)) } " "
                    (span(language, incident)) ". "
                    span.soft { (language.alarm_why(incident.alarm)) }
                }
            }
        }
    }
}

/// Since when, and until when if that is known.
pub(crate) fn span(language: Language, incident: &Incident) -> Markup {
    html! {
        @if let Some(until) = incident.until {
            (language.pick("from ", "van ")) (figure::second(incident.since))
            (language.pick(" to ", " tot ")) (figure::second(until))
        } @else {
            (language.pick("since ", "sinds ")) (figure::second(incident.since))
        }
    }
}

/// That something was wrong, in a word.
pub(crate) fn pill(language: Language) -> Markup {
    html! { " " span.pill { (language.pick("alarm", "alarm")) } }
}

/// What is wrong with the node.
pub(crate) fn ailment(language: Language, what: &Ailment) -> Markup {
    let t = |english, dutch| language.pick(english, dutch);
    match what {
        Ailment::Disk => html! {
            strong { (t("Nobody is asked: the disk for recordings is full or fails", "Niemand wordt gevraagd: de schijf voor opnamen is vol of faalt")) }
        },
        Ailment::Recorder => html! {
            strong { (t("Nothing is recorded: the recorder has ended", "Er wordt niets opgenomen: de opnemer is gestopt")) }
        },
        Ailment::Unreconciled { mismatches } => html! {
            strong { (t("Calls, recordings and stored objects do not agree", "Gesprekken, opnamen en bewaarde objecten kloppen niet met elkaar")) }
            " (" (mismatches) " " (t("mismatches", "verschillen")) ")"
        },
        Ailment::BooksUnread => html! {
            strong { (t("Whether calls, recordings and stored objects agree is not known", "Of gesprekken, opnamen en bewaarde objecten kloppen is onbekend")) }
        },
        Ailment::Manager { pbx } => html! {
            strong { (t("Who talks to callers is not known: no word of the manager of PBX ", "Wie er met bellers praat is onbekend: niets van de manager van centrale ")) (pbx) }
        },
        Ailment::Unanswered { trunk, questions } => html! {
            strong { (t("No key comes through on trunk ", "Er komt geen toets door op trunk ")) (trunk) }
            " (" (questions) " " (t("questions in a row", "vragen op rij")) ")"
        },
    }
}

impl Language {
    /// What is wrong.
    pub(crate) const fn alarm(self, alarm: Alarm) -> &'static str {
        match alarm {
            Alarm::Unheard(Party::Customer, _) => {
                self.pick("The customer is not heard", "De klant is niet te horen")
            }
            Alarm::Unheard(Party::Agent, _) => {
                self.pick("Your side is not heard", "Uw kant is niet te horen")
            }
            Alarm::DeadKeys(_) => self.pick("Keys do not come through", "Toetsen komen niet door"),
            Alarm::CutShort => self.pick("Recorded no further", "Niet verder opgenomen"),
            Alarm::Late => self.pick("The recording has a gap", "Er zit een hiaat in de opname"),
        }
    }

    /// What comes of it, or why it is so.
    pub(crate) const fn alarm_why(self, alarm: Alarm) -> &'static str {
        match alarm {
            Alarm::Unheard(_, why) => self.unheard_why(why),
            Alarm::DeadKeys(why) => self.dead_keys_why(why),
            Alarm::CutShort => self.pick(
                "The recorder could not go on. The call does, and what was sealed is kept. Look at the log.",
                "De opnemer kon niet verder. Het gesprek gaat door, en wat verzegeld was blijft bewaard. Kijk in het logboek.",
            ),
            Alarm::Late => self.pick(
                "The recorder was late and sound is missing; the recording says where.",
                "De opnemer was te laat en er ontbreekt geluid; de opname zegt waar.",
            ),
        }
    }

    const fn unheard_why(self, why: Unheard) -> &'static str {
        match why {
            Unheard::Silent => self.pick(
                "No packets come from there.",
                "Er komen daar geen pakketten vandaan.",
            ),
            Unheard::Elsewhere => self.pick(
                "Its packets come from another address than it named, as behind a NAT; see `latching`.",
                "De pakketten komen van een ander adres dan genoemd, zoals achter een NAT; zie `latching`.",
            ),
            Unheard::UnknownFormat => self.pick(
                "Its packets are of a format that was not agreed on.",
                "De pakketten hebben een vorm die niet is afgesproken.",
            ),
            Unheard::Unauthentic => self.pick(
                "Its packets are not under the key that was agreed on.",
                "De pakketten zijn niet onder de afgesproken sleutel.",
            ),
            Unheard::Malformed => self.pick(
                "What comes from there is no sound (no RTP).",
                "Wat daarvandaan komt is geen geluid (geen RTP).",
            ),
        }
    }

    const fn dead_keys_why(self, why: DeadKeys) -> &'static str {
        match why {
            DeadKeys::Tones => self.pick(
                "They come as tones although events are agreed on; see `media.tones_beside_events`.",
                "Ze komen als tonen terwijl events zijn afgesproken; zie `media.tones_beside_events`.",
            ),
            DeadKeys::StrayEvents => self.pick(
                "They come as events of a payload type that was not agreed on; see `media.stray_events`.",
                "Ze komen als events van een payload-type dat niet is afgesproken; zie `media.stray_events`.",
            ),
            DeadKeys::Unanswered => self.pick(
                "No question on this trunk has been answered by a key for long.",
                "Al lang is op deze trunk geen vraag met een toets beantwoord.",
            ),
        }
    }

    /// What to do about what is wrong with the node.
    pub(crate) const fn ailment_why(self, what: &Ailment) -> &'static str {
        match what {
            Ailment::Disk => self.pick(
                "Calls go on unrecorded. Free space or mend the disk: it is tried again each second.",
                "Gesprekken gaan door zonder opname. Maak ruimte of herstel de schijf: elke seconde wordt het opnieuw geprobeerd.",
            ),
            Ailment::Recorder => self.pick(
                "Calls go on. Restart Jawoord, and report it with the log.",
                "Gesprekken gaan door. Herstart Jawoord, en meld het met het logboek.",
            ),
            Ailment::Unreconciled { .. } => self.pick(
                "`jawoord report reconcile` names each; without a mismatch it ends this alarm.",
                "`jawoord report reconcile` noemt elk ervan; zonder verschil eindigt daarmee deze melding.",
            ),
            Ailment::BooksUnread => self.pick(
                "They could not be compared; the log says why. See that the store and the disk can be read: it is tried again every ten minutes.",
                "Ze konden niet worden vergeleken; het logboek zegt waarom. Kijk of de opslag en de schijf leesbaar zijn: elke tien minuten wordt het opnieuw geprobeerd.",
            ),
            Ailment::Manager { .. } => self.pick(
                "Lines that are recorded while an agent talks are silent meanwhile. See that Asterisk runs, and its manager.conf; it is tried again by itself.",
                "Lijnen die worden opgenomen zolang een medewerker praat zijn intussen stil. Kijk of Asterisk draait, en naar manager.conf; het wordt vanzelf opnieuw geprobeerd.",
            ),
            Ailment::Unanswered { .. } => self.pick(
                "Consent does not work there. Try its keys with `jawoord check --live --call`.",
                "Toestemming werkt daar niet. Probeer de toetsen met `jawoord check --live --call`.",
            ),
        }
    }
}
