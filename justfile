# What people do every day; `just` lists it. Each line is a plain command, for those who have no just.

_default:
    @just --list --unsorted

# the plugins, the host and the tests
build:
    tests/build
    cargo build --locked --workspace --all-targets

# types and lints, without making programs
check:
    cargo clippy --locked --workspace --all-targets -- -D warnings

# all tests but the container image and the real OpenStack
test:
    tests/run

# all tests; makes this machine an OpenStack, as root on Debian
test-openstack:
    tests/run --with-openstack

# the life of a cluster, without a cloud
demo:
    tests/demo

# format all Rust code
fmt:
    cargo fmt --all

# the documentation of the code, in target/doc
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --workspace

# figures of the image's program: start, generate, load (words choose, see tests/bench/main.rs)
bench *words:
    tests/image/build --binaries
    STAMPEDE_BIN=target/x86_64-unknown-linux-musl/release/stampede cargo bench --locked --workspace --bench stampede -- {{words}}
