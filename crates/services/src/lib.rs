//! Service manifests and their pure interpreter: manifest + settings -> request value; response value -> what it says.
//! Sends nothing.
