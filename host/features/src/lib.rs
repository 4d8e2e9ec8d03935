//! Empty: the manifest beside it pins the features of crates that several builds share.
