//! Calls on real sockets, with real peers, through the real program.

mod aside;
mod consent;
mod crash;
mod dead;
mod early;
mod erase;
mod evidence;
mod failover;
mod failure;
mod hold;
mod lines;
mod live;
mod long;
mod names;
mod operate;
mod outbound;
mod plain;
mod reconcile;
mod retention;
mod sipp;
mod tamper;
mod timing;
mod trace;
mod trial;
mod withdraw;
