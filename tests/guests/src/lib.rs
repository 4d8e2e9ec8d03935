//! Plugins that misbehave, one in each file of `examples/`: what `tests/plugins` loads and calls. There is nothing here.
