//! One module per outside thing: keychain, sealed vault, escrow, ledger, HTTP, clock, notices, destinations.
