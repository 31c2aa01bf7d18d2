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
	cargo deny --config .cargo/deny.toml check bans licenses sources

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items

bench-guardrail:
	cargo bench --bench guardrail
