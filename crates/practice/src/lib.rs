//! The practice service: an ordinary HTTP server on loopback that issues keys to practise on.
