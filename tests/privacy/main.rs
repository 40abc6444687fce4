//! What must not be found anywhere: in memory, on disk, in logs.
