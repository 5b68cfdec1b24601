//! SASL: what a client sends an acceptor, and a server an initiator.
#![forbid(unsafe_code)]

mod acceptor;
mod draft;
mod initiator;
