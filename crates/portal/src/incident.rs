//! Something that is wrong with a call, or was: what, on which leg, since when and until when.

use call::{Alarm, Party, Time};
use serde::{Serialize, Serializer, ser::SerializeStruct};

/// Something that is wrong with a call, or was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incident {
    /// What.
    pub alarm: Alarm,
    /// When it was noticed.
    pub since: Time,
    /// When it was right again; `None` while it is not, or when the call ended so.
    pub until: Option<Time>,
}

impl Serialize for Incident {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let leg = match self.alarm {
            Alarm::Unheard(party, _) => Some(party.as_str()),
            Alarm::DeadKeys(_) => Some(Party::Customer.as_str()),
            Alarm::CutShort | Alarm::Late => None,
        };
        let mut object = serializer.serialize_struct("Incident", 4)?;
        object.serialize_field("alarm", &self.alarm.to_string())?;
        object.serialize_field("leg", &leg)?;
        object.serialize_field("since", &self.since.to_string())?;
        object.serialize_field("until", &self.until.map(|until| until.to_string()))?;
        object.end()
    }
}
