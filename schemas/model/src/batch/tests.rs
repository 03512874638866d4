//! Golden vectors, round trips and hostile input.
