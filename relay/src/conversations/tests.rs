//! Stories of the room through its public surface, on a real store.
