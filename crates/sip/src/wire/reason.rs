//! The reason phrase that goes with a status code.

/// The phrase for a status code, from the names of the `rsip` vocabulary: `BusyHere` is written
/// `Busy Here`. A code that no RFC names gets the phrase of its class.
pub fn phrase(status: u16) -> String {
    let code = rsip::StatusCode::from(status);
    if let rsip::StatusCode::Other(..) = code {
        let class = match status / 100 {
            1 => "Session Progress",
            2 => "OK",
            3 => "Multiple Choices",
            4 => "Bad Request",
            5 => "Server Internal Error",
            _ => "Busy Everywhere",
        };
        return class.to_owned();
    }
    let text = code.to_string();
    let name = text.split_once(' ').map_or("", |(_, name)| name);
    let mut out = String::with_capacity(name.len() + 8);
    let mut small = false;
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && small {
            out.push(' ');
        }
        small = letter.is_ascii_lowercase();
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_read_as_the_rfc_writes_them() {
        let expected = [
            (100, "Trying"),
            (180, "Ringing"),
            (183, "Session Progress"),
            (200, "OK"),
            (481, "Call Transaction Does Not Exist"),
            (486, "Busy Here"),
            (503, "Service Unavailable"),
            (499, "Bad Request"),
        ];
        for (status, text) in expected {
            assert_eq!(phrase(status), text);
        }
    }
}
