//! What the tests share: a virtual clock, a lossy network, phones and a fake disk.
