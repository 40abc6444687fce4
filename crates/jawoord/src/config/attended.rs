//! From when on a line is recorded, and whether anything says that an agent is there: `record_from`.

use std::net::SocketAddr;

use call::RecordFrom;

use super::{
    choice::{self, Direction, Record},
    schema::{File, Line},
};

/// From when on a line is recorded.
pub(super) fn record_from(line: &Line) -> RecordFrom {
    match line.record_from {
        Some(choice::RecordFrom::Agent) => RecordFrom::Agent,
        Some(choice::RecordFrom::Answer) | None => RecordFrom::Answer,
    }
}

/// What is allowed and foolish.
pub(super) fn warnings(file: &File) -> Vec<Box<str>> {
    let lines = |from: Option<choice::RecordFrom>| {
        let of_these = move |line: &&Line| line.record_from == from && can_be_recorded(file, line);
        let mut ids = file.line.iter().filter(of_these);
        let (first, more) = (ids.next()?, ids.count());
        let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
        Some(format!("line \"{}\"{more}", first.id))
    };
    let unsaid = lines(None).map(|lines| {
        format!(
            "{lines} does not say from when on it is recorded: it is from the answer, with what a queue, \
             a menu or a hold plays of which the PBX does not tell, and what callers say meanwhile, which \
             may not be recorded (GDPR Art. 5(1)(c)); write `record_from = \"agent\"`, or \"answer\" where \
             an agent alone answers"
        )
    });
    let untold = lines(Some(choice::RecordFrom::Agent)).filter(|_| !is_told(file)).map(|lines| {
        format!(
            "{lines} is recorded while an agent is there, and nothing but `jawoord calls agent` could say \
             so; write `[pbx.ami]`, or serve the page (`portal.bind`) for programs"
        )
    });
    let open = file.pbx.iter().filter_map(|pbx| Some((&pbx.name, pbx.ami.as_ref()?)));
    let open = open.filter(|(_, ami)| {
        ami.address.parse().is_ok_and(|address: SocketAddr| !address.ip().is_loopback())
    });
    let open = open.map(|(name, _)| {
        format!(
            "pbx \"{name}\": its manager is not on this machine, and what it says, numbers among it, \
             travels in clear; lead it through a tunnel"
        )
    });
    unsaid.into_iter().chain(untold).chain(open).map(Into::into).collect()
}

/// Whether there is a call of the line that is asked or told of a recording.
fn can_be_recorded(file: &File, line: &Line) -> bool {
    let mut policies = file.policy.iter().filter(|policy| policy.id == line.policy);
    policies.any(|policy| {
        let calls_alone = line.direction == Direction::Outbound;
        policy.record != Record::Never
            && !(calls_alone && policy.outbound == choice::Outbound::Never)
    })
}

/// Whether anything says by itself that an agent is there, or a program can.
fn is_told(file: &File) -> bool {
    file.portal.bind.is_some() || file.pbx.iter().any(|pbx| pbx.ami.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{
        judge::{Settings, judge},
        problem::Problems,
        read::read_text,
    };

    const LAB: &str = include_str!("../../../../config/lab.toml");
    const FROM: &str = "record_from = \"answer\"";

    fn lab(from: &str, to: &str) -> Result<Settings, String> {
        assert!(LAB.contains(from), "config/lab.toml no longer holds {from:?}");
        read_text(&LAB.replacen(from, to, 1))
            .and_then(|read| judge(read, None))
            .map_err(|problems| Problems(&problems).to_string())
    }

    fn warnings_of(from: &str, to: &str) -> Vec<Box<str>> {
        lab(from, to).expect("it is good").warnings
    }

    #[test]
    fn l_03_a_line_that_does_not_choose_is_warned_of_and_recorded_from_the_answer() {
        let settings = lab(&format!("{FROM} "), "# ").expect("it is good");
        let [warning] = &settings.warnings[..] else { panic!("{:?}", settings.warnings) };
        assert!(warning.contains("\"sales-nl\"") && warning.contains("Art. 5(1)(c)"), "{warning}");
        let of = |settings: &Settings| {
            let mut lines = settings.lines.iter();
            lines.find(|line| line.id.as_str() == "sales-nl").map(|line| line.record_from)
        };
        assert_eq!(of(&settings), Some(RecordFrom::Answer));
        let settings = lab(FROM, "record_from = \"agent\"").expect("it is good");
        assert_eq!(of(&settings), Some(RecordFrom::Agent));
        assert!(settings.warnings.is_empty(), "the page is served: programs can say it");
    }

    #[test]
    fn l_03_a_line_of_which_no_call_can_be_recorded_need_not_choose() {
        let machines = "id = \"alarm\"\nmode = \"transparent\"";
        assert!(warnings_of("id = \"alarm\"", machines).is_empty());
        let text = LAB.replacen(&format!("{FROM} "), "# ", 1);
        let text = text.replacen("outbound = \"agent_asks\"", "outbound = \"never\"", 1);
        let warnings = |direction: &str| {
            let line = format!("direction = \"{direction}\"");
            let text = text.replacen("direction = \"both\"", &line, 1);
            read_text(&text).and_then(|read| judge(read, None)).expect("it is good").warnings
        };
        assert!(warnings("outbound").is_empty(), "{:?}", warnings("outbound"));
        for records in ["inbound", "both"] {
            assert_eq!(warnings(records).len(), 1, "{records}");
        }
    }

    #[test]
    fn a_line_that_waits_for_agents_of_whom_nothing_tells_is_warned_of() {
        let text = LAB.replacen(FROM, "record_from = \"agent\"", 1);
        let text = text.replacen("[portal]\nbind = \"127.0.0.1:15091\"", "[portal]\n#", 1);
        let settings = read_text(&text).and_then(|read| judge(read, None)).expect("it is good");
        assert!(settings.warnings.iter().any(|text| text.contains("jawoord calls agent")));
    }

    const PBX: &str = "\n[dns]";

    #[test]
    fn a_manager_is_found_by_its_address_and_has_a_password_somewhere() {
        let secret = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(secret.path(), "sesame\n").expect("a file");
        let path = secret.path().display();
        let ami = |address: &str, user: &str| {
            format!(
                "\n[pbx.ami]\naddress = \"{address}\"\nuser = \"{user}\"\nsecret_file = \"{path}\"\n\
                 not_agents = [\"carrier\"]\n[dns]"
            )
        };
        let settings = lab(PBX, &ami("127.0.0.1:5038", "jawoord")).expect("it is good");
        let managers: Vec<_> = settings.managers().collect();
        let [manager] = &managers[..] else { panic!("{managers:?}") };
        assert_eq!(
            (&*manager.pbx, &***manager.secret, &*manager.user),
            ("pbx", &b"sesame"[..], "jawoord")
        );
        assert_eq!(manager.outside.len(), 1);
        assert!(!format!("{manager:?}").contains("sesame"));
        let text = lab(PBX, &ami("asterisk", "jawoord")).expect_err("refused");
        assert!(text.contains("ami: `address` is \"asterisk\""), "{text}");
        let text = lab(PBX, &ami("127.0.0.1:5038", "")).expect_err("refused");
        assert!(text.contains("ami: `user` is \"\""), "{text}");
        let far = warnings_of(PBX, &ami("192.0.2.7:5038", "jawoord"));
        assert!(far.iter().any(|text| text.contains("in clear")), "{far:?}");
        let none = "\n[pbx.ami]\naddress = \"127.0.0.1:5038\"\nuser = \"jawoord\"\n[dns]";
        assert!(lab(PBX, none).expect_err("refused").contains("secret_file"));
    }
}
