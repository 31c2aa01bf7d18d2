# What a person types is what CI runs.
.PHONY: test test-deps lint fmt deny doc bench-guardrail clean

# Installs what the tests need, asking for nothing, and passes them all.
test: test-deps
	cargo nextest run --profile $(or $(PROFILE),default)

test-deps:
	@tests/install.sh

lint:
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

fmt:
	cargo fmt

deny:
	cargo deny --config .cargo/deny.toml --log-level error check bans licenses sources

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items

bench-guardrail:
	cargo bench --bench guardrail

# Figures of a running practice on the release binary: start, memory, webhook answers, round trips.
.PHONY: figures recording
figures: test-deps
	cargo build --release
	.venv/bin/python tests/python/figures.py $(or $(CARGO_TARGET_DIR),target)/release/anteroom

# One conversation through signed Twilio webhooks, written down.
recording: test-deps
	cargo build --release
	.venv/bin/python tests/python/recording.py $(abspath $(or $(CARGO_TARGET_DIR),target))/release/anteroom > docs/recording.md
