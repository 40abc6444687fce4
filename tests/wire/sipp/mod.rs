//! SIPp on both sides.
