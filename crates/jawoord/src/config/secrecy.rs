//! Judges whether a peer's sound can be SRTP: its keys must not travel in the clear.

use super::{
    problem::Problem,
    schema::File,
    srtp::{Srtp, Wanted, Written},
    target::{Target, Transport},
};

/// Judges what a peer with these targets wants. Whoever reads the keys hears the call.
pub(super) fn srtp(
    written: Written,
    file: &File,
    (listener, targets): (Option<&String>, &[Target]),
    (place, problems): (&str, &mut Vec<Problem>),
) -> Srtp {
    let Written { wanted, keys_in_clear } = written;
    let wanted = match wanted {
        Wanted::Off => sip::Srtp::Off,
        Wanted::Offer => sip::Srtp::Offer,
        Wanted::Require => sip::Srtp::Require,
    };
    let judged = Srtp { wanted, keys_in_clear };
    let clear = targets.iter().any(|target| target.transport != Transport::Tls);
    let mut by = file.listener.iter().filter(|one| listener.is_none_or(|name| *name == one.name));
    let no_tls = !by.any(|one| one.transport.0.contains(&sip::Transport::Tls));
    if wanted != sip::Srtp::Off && !keys_in_clear && (clear || no_tls) {
        let mend = "its keys would travel in the clear: give its targets transport = \"tls\" and it a \
                    listener with TLS, or write { use = \"…\", keys_in_clear = true } if the way \
                    to it is safe otherwise";
        let said = if wanted == sip::Srtp::Require { "require" } else { "offer" };
        problems.push(Problem::value(place, "srtp", said, mend));
    }
    judged
}

/// Warns of every peer whose keys are told in the clear, and of whom anybody could be taken for.
pub(super) fn warnings(file: &File, warnings: &mut Vec<Box<str>>) {
    let trunks = file.trunk.iter().map(|one| ("trunk", &one.name, one.srtp, one.latching));
    let pbxs = file.pbx.iter().map(|one| ("pbx", &one.name, one.srtp, one.latching));
    for (kind, name, written, latching) in trunks.chain(pbxs) {
        if latching.is_open() {
            warnings.push(
                format!(
                    "{kind} \"{name}\": whoever sends to its ports first is taken for it; write latching = \
                     \"same-24\" or \"same-ip\" if that is where it sends from"
                )
                .into(),
            );
        }
        if written.keys_in_clear && written.wanted != Wanted::Off {
            warnings.push(
                format!(
                    "{kind} \"{name}\": whoever reads its SIP has the keys of its calls; use TLS, and \
                     leave keys_in_clear out"
                )
                .into(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str) -> (Srtp, Vec<Problem>) {
        let file: File = toml::from_str(text).unwrap();
        let mut problems = Vec::new();
        let pbxs = super::super::peers::pbxs(&file, &mut problems);
        (pbxs[0].reach.srtp, problems)
    }

    const TLS: &str = "[[listener]]\nname = \"a\"\nbind = \"127.0.0.1:5061\"\ntransport = \"tls\"\n\
                       [[listener]]\nname = \"b\"\nbind = \"127.0.0.1:5060\"\n[[pbx]]\nname = \"pbx\"\n";

    #[test]
    fn s_03_keys_travel_under_tls_or_where_the_operator_says_so() {
        let by = |transport: &str, rest: &str| {
            judged(&format!(
                "{TLS}{rest}\n[[pbx.target]]\nhost = \"192.0.2.1\"\ntransport = \"{transport}\"\n"
            ))
        };
        for wanted in ["offer", "require"] {
            let written = format!("srtp = \"{wanted}\"");
            assert_eq!(by("tls", &written).1, []);
            let (_, problems) = by("udp", &written);
            let [problem] = problems.as_slice() else { panic!("{problems:?}") };
            let said = problem.to_string();
            assert!(said.contains("srtp") && said.contains(wanted), "{said}");
            assert!(said.contains("keys_in_clear"), "{said}");
            let (_, problems) = by("tls", &format!("listener = \"b\"\n{written}"));
            assert!(problems.iter().any(|problem| problem.to_string().contains("srtp")));
            let clear = format!("srtp = {{ use = \"{wanted}\", keys_in_clear = true }}");
            assert_eq!(by("udp", &clear).1, []);
        }
        assert_eq!(by("udp", "srtp = \"off\"").1, []);
        assert_eq!(by("udp", "").0, Srtp::default());
    }

    #[test]
    fn s_03_a_call_that_comes_in_the_clear_has_no_keys() {
        let all = [sip::Srtp::Off, sip::Srtp::Offer, sip::Srtp::Require];
        let over = |keys_in_clear, transport| {
            all.map(|wanted| Srtp { wanted, keys_in_clear }.over(transport))
        };
        let (udp, tls) = (sip::Transport::Udp, sip::Transport::Tls);
        assert_eq!(over(false, udp), [Some(sip::Srtp::Off), Some(sip::Srtp::Off), None]);
        assert_eq!(over(false, tls), all.map(Some));
        assert_eq!(over(true, udp), all.map(Some));
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let read = |value: &str| toml::from_str::<File>(&format!("{TLS}srtp = {value}")).map(drop);
        assert!(read("{ use = \"offer\" }").is_ok());
        for bad in
            ["\"yes\"", "true", "{}", "{ use = \"off\", key = 1 }", "{ keys_in_clear = true }"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
        let said = read("\"on\"").unwrap_err().to_string();
        assert!(said.contains("`off`, `offer`, `require`"), "{said}");
    }

    #[test]
    fn keys_in_the_clear_are_warned_of() {
        let warned = |value: &str| {
            let mut said = Vec::new();
            warnings(&toml::from_str(&format!("{TLS}srtp = {value}")).unwrap(), &mut said);
            said.len()
        };
        assert_eq!(warned("{ use = \"require\", keys_in_clear = true }"), 1);
        assert_eq!(warned("{ use = \"off\", keys_in_clear = true }"), 0);
        assert_eq!(warned("\"require\""), 0);
    }
}
