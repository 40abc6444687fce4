//! F1 inbound, answer first: notice, question, decision, PBX, bridge, withdrawal, end.
