//! `[[controller]]`: who is responsible for recordings and how they are reached, for consent records.

use call::TenantId;
use ledger::Controller;
use serde::Deserialize;
use vault::Country;

use super::problem::Problem;

/// `[[controller]]` as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Written {
    /// Whose calls; by default everybody's.
    pub tenant: Option<String>,
    /// The legal name.
    pub name: String,
    /// The postal address, without the country.
    pub address: String,
    /// The country, ISO 3166-1 alpha-2.
    pub country: String,
    /// Where somebody who was recorded is heard.
    pub contact: String,
    /// Where the whole privacy notice is.
    pub privacy_notice: Option<String>,
    /// The supervisory authority.
    pub authority: Option<String>,
}

/// A controller, and whose calls they are responsible for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responsible {
    /// Whose; `None` is everybody's.
    pub tenant: Option<TenantId>,
    /// Who.
    pub controller: Controller,
}

/// The controller of a tenant: the one that is named for it, else the one for all.
#[must_use]
pub fn of<'a>(all: &'a [Responsible], tenant: &TenantId) -> Option<&'a Controller> {
    let own = all.iter().find(|one| one.tenant.as_ref() == Some(tenant));
    own.or_else(|| all.iter().find(|one| one.tenant.is_none())).map(|one| &one.controller)
}

/// All controllers. Of a tenant that has a line `is_known` says so.
pub(super) fn controllers(
    all: &[Written],
    is_known: impl Fn(&str) -> bool,
    problems: &mut Vec<Problem>,
) -> Vec<Responsible> {
    let mut known: Vec<Responsible> = Vec::new();
    for written in all {
        if let Some(one) = controller(written, &is_known, problems) {
            if known.iter().any(|other| other.tenant == one.tenant) {
                let mend = "write one for each tenant, and one without `tenant` for the others";
                problems.push(Problem::value(PLACE, "name", &written.name, mend));
            }
            known.push(one);
        }
    }
    known
}

const PLACE: &str = "controller";

fn controller(
    written: &Written,
    is_known: &impl Fn(&str) -> bool,
    problems: &mut Vec<Problem>,
) -> Option<Responsible> {
    let before = problems.len();
    let Written { tenant, name, address, country, contact, privacy_notice, authority } = written;
    for (key, value, mend) in [
        ("name", name, "write the legal name, such as \"Voorbeeld BV\""),
        ("address", address, "write street, number, postal code and place"),
    ] {
        if value.trim().is_empty() {
            problems.push(Problem::missing(PLACE, key, mend));
        }
    }
    if Country::new(country).is_none() {
        let mend = "use a country such as \"NL\" (ISO 3166-1 alpha-2)";
        problems.push(Problem::value(PLACE, "country", country, mend));
    }
    if !["mailto:", "tel:", "https://"].iter().any(|scheme| is_uri(contact, scheme)) {
        let mend = "write where a caller is heard, such as \"mailto:privacy@example.nl\"";
        problems.push(Problem::value(PLACE, "contact", contact, mend));
    }
    if let Some(notice) = privacy_notice.as_ref().filter(|notice| !is_uri(notice, "https://")) {
        let mend = "use an address that begins with \"https://\"";
        problems.push(Problem::value(PLACE, "privacy_notice", notice, mend));
    }
    if let Some(named) = tenant.as_ref().filter(|tenant| !is_known(tenant)) {
        let mend = "no line is of this tenant; correct the name, or leave it out for all of them";
        problems.push(Problem::value(PLACE, "tenant", named, mend));
    }
    let controller = Controller {
        name: name.clone(),
        address: address.clone(),
        country: country.clone(),
        contact: contact.clone(),
        privacy_notice: privacy_notice.clone(),
        authority: authority.clone(),
    };
    let tenant = tenant.as_ref().and_then(|tenant| TenantId::new(tenant).ok());
    (problems.len() == before).then_some(Responsible { tenant, controller })
}

fn is_uri(text: &str, scheme: &str) -> bool {
    let rest = text.strip_prefix(scheme);
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|c| c.is_ascii_graphic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> Written {
        Written {
            name: "Voorbeeld BV".to_owned(),
            address: "Voorbeeldstraat 1, 1011 AA Amsterdam".to_owned(),
            country: "NL".to_owned(),
            contact: "mailto:privacy@voorbeeld.example".to_owned(),
            ..Written::default()
        }
    }

    /// A change of what is written, and what is said of it.
    type Fault = (fn(&mut Written), &'static str);

    fn judged(all: &[Written]) -> (Vec<Responsible>, Vec<String>) {
        let mut problems = Vec::new();
        let known = controllers(all, |tenant| tenant == "voorbeeld", &mut problems);
        (known, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_tenant_has_its_own_controller_else_that_of_all() {
        let own = Written {
            tenant: Some("voorbeeld".to_owned()),
            name: "Dochter BV".to_owned(),
            ..written()
        };
        let (all, problems) = judged(&[written(), own]);
        assert!(problems.is_empty(), "{problems:?}");
        let name = |tenant| of(&all, &TenantId::new(tenant).unwrap()).unwrap().name.as_str();
        assert_eq!((name("voorbeeld"), name("other")), ("Dochter BV", "Voorbeeld BV"));
        assert_eq!(of(&all[1..], &TenantId::new("other").unwrap()), None);
    }

    #[test]
    fn l_15_a_controller_who_cannot_be_reached_is_refused_by_the_key_that_says_so() {
        let refused: &[Fault] = &[
            (|it| it.name = " ".to_owned(), "`name` is missing"),
            (|it| it.address.clear(), "`address` is missing"),
            (|it| it.country = "Nederland".to_owned(), "`country` is \"Nederland\""),
            (|it| it.contact = "the desk".to_owned(), "`contact` is \"the desk\""),
            (|it| it.contact = "mailto:".to_owned(), "`contact` is \"mailto:\""),
            (|it| it.contact = "tel:+31 20".to_owned(), "`contact` is \"tel:+31 20\""),
            (
                |it| it.privacy_notice = Some("http://x.example".to_owned()),
                "`privacy_notice` is \"http://x.example\"",
            ),
            (|it| it.tenant = Some("nobody".to_owned()), "`tenant` is \"nobody\""),
        ];
        for (change, named) in refused {
            let mut one = written();
            change(&mut one);
            let (all, problems) = judged(&[one]);
            assert!(all.is_empty() && problems.len() == 1, "{problems:?}");
            let said = problems[0].strip_prefix("controller: ").unwrap();
            assert!(said.starts_with(named), "{said}");
        }
        let (_, problems) = judged(&[written(), written()]);
        assert!(problems[0].contains("write one for each tenant"), "{problems:?}");
    }
}
