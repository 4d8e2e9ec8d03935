//! Plugins that misbehave, one in each file of `examples/`: what `tests/plugins` loads and calls.
//! They are compiled to WebAssembly alone, by `tests/build`; there is nothing here.
