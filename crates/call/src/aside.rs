//! Calls that would be asked or told, and in which a question helps nobody: they are put through as if
//! nothing stood between.

use crate::named;

named!(
    /// Why a call is none of ours, although it is no emergency.
    Aside {
        /// The line is for machines, such as a lift's or an alarm's: what they send is nobody's speech, and
        /// a prompt would be a fault on their line.
        Transparent = "transparent",
        /// Who calls or is called is on a list of confidential helplines: who needs one says to nobody else
        /// that they do (GDPR Art. 9(1), 25).
        Confidential = "confidential",
        /// The line is closed: nobody is there on whose behalf anybody could be asked.
        Closed = "closed",
    }
);
