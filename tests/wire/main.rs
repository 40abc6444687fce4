//! Calls on real sockets, with real peers, through the real program.
