# What a person types is what CI runs.
.PHONY: test test-deps lint fmt deny doc bench-guardrail

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

.PHONY: bench-screen
bench-screen:
	cargo bench --bench screen

# Open detectors beside `anteroom detect` over FILE (default: evals/guardrail/peers.jsonl).
.PHONY: bench-peers fuzz
bench-peers:
	cargo build --release
	python3 benches/peers/peers.py $(or $(CARGO_TARGET_DIR),target)/release/anteroom $(FILE)

# Any bytes to the detector, the review, the way in and the wire, a minute each.
fuzz:
	PROPTEST_RNG_SEED=$${RANDOM_SEED:-$$(date +%s)} ANTEROOM_FUZZ_SECONDS=$(or $(SECONDS_EACH),60) \
		cargo test --test it fuzz::

# The same four, guided by coverage from the drafts of the gold set on: make fuzz-guided SECONDS_EACH=600.
# On the stable compiler; cargo-fuzz builds the program once more, which takes minutes. What breaks is
# kept under fuzz/artifacts/ and fails the run.
.PHONY: fuzz-guided
fuzz-guided:
	@command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
	python3 fuzz/seeds.py
	@for target in $(or $(TARGETS),detect review screen wire); do \
		echo "fuzz: $$target, $(or $(SECONDS_EACH),600) s"; \
		RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none -O $$target -- \
			-max_total_time=$(or $(SECONDS_EACH),600) -max_len=4096 -timeout=10 -print_final_stats=1 || exit 1; \
	done

# Figures of a running practice on the release binary: start, memory, webhook answers, round trips.
.PHONY: figures recording
figures: test-deps
	cargo build --release
	.venv/bin/python tests/python/figures.py $(abspath $(or $(CARGO_TARGET_DIR),target))/release/anteroom

# Times of one review each over a file of texts: make guardrail-figures TEXTS=texts.jsonl
.PHONY: guardrail-figures
guardrail-figures:
	cargo build --release
	python3 tests/python/guardrail_figures.py $(or $(CARGO_TARGET_DIR),target)/release/anteroom $(TEXTS)

# Recall, leak and false alarms over a folder of public labelled sets: make quality DATA=folder
.PHONY: quality
quality:
	cargo build --release
	python3 tests/python/quality.py $(abspath $(or $(CARGO_TARGET_DIR),target))/release/anteroom $(DATA)

# The voter of a user's own Hugging Face model, on tiny models; candle is built only for it.
.PHONY: test-hf
test-hf:
	cargo test --features hf --test it hf::

# Trains the statistical tagger again: make tagger DATA=folder (docs/tagger.md); then build once more.
.PHONY: tagger
tagger:
	cargo run --release --example train_tagger -- $(if $(DATA),--data $(DATA)) \
		--out guardrails/tagger.model --provenance training/provenance.toml

# Trains the readers of sentences again: make sentences DATA=folder (docs/sentences.md); then build once more.
# make sentences-measured DATA=folder: two learners, each family held out, and the public sets.
.PHONY: sentences sentences-measured injection-figures
sentences:
	cargo run --release --example train_sentences -- $(if $(DATA),--data $(DATA)) \
		--out guardrails --provenance training/sentences/provenance.toml
sentences-measured:
	cargo run --release --example train_sentences -- $(if $(DATA),--data $(DATA)) --measure alarms
	cargo run --release --example train_sentences -- $(if $(DATA),--data $(DATA)) --measure advice

# Recall of injection over the English rows of public sets, flags and alarms on harmless ones.
injection-figures:
	cargo build --release
	python3 tests/python/inbound_figures.py $(abspath $(or $(CARGO_TARGET_DIR),target))/release/anteroom $(DATA)

# One conversation through signed Twilio webhooks, written down.
recording: test-deps
	cargo build --release
	.venv/bin/python tests/python/recording.py $(abspath $(or $(CARGO_TARGET_DIR),target))/release/anteroom > docs/recording.md

# Webhook answers at 200 texts a second on SQLite and PostgreSQL, timed by the timetable: wanted and got.
.PHONY: bench-webhook
bench-webhook: test-deps
	cargo build --release
	.venv/bin/python tests/python/bench_webhook.py $(abspath $(or $(CARGO_TARGET_DIR),target))/release/anteroom

# 10,000 texts through every fake carrier with 5 % of each fault; prints what became of each answer.
# DATABASE=postgres://... runs it on an empty PostgreSQL database instead of SQLite.
.PHONY: carrier-faults
carrier-faults:
	cargo build --release
	ANTEROOM_LOG__LEVEL=error $(or $(CARGO_TARGET_DIR),target)/release/anteroom simulate-carrier --run $(or $(TEXTS),10000) --faults $(or $(FAULTS),0.05) --seed $(or $(SEED),7) $(if $(DATABASE),--database '$(DATABASE)')
# Fifty regressions planted in the policy, each of which must stop the gate of `anteroom eval`.
.PHONY: planted
planted:
	ANTEROOM_PLANTINGS=50 cargo test --test it planted:: -- --nocapture

# Figures of the suites on the release binary: all that need no story, and 500 stories.
.PHONY: eval-figures
eval-figures:
	cargo build --release
	$(or $(CARGO_TARGET_DIR),target)/release/anteroom eval --quiet --no-baseline $(shell cd evals && ls *.yaml | sed 's/.yaml//' | grep -v -e stories -e mosaic -e overlays)
	$(or $(CARGO_TARGET_DIR),target)/release/anteroom eval --quiet --no-baseline conversations stories mosaic overlays --matrix state=CA,TX | tail -3

# Thousands of questions that fit /openapi.json, or just do not, to a server that runs already:
# make schemathesis URL=http://127.0.0.1:8080 KEY=one-of-guard-api_keys EXAMPLES=500
.PHONY: schemathesis
schemathesis: test-deps
	SCHEMATHESIS_HOOKS=tests/python/schemathesis_hooks.py .venv/bin/schemathesis --config-file tests/python/schemathesis.toml run $(or $(URL),http://127.0.0.1:8080)/openapi.json \
		$(if $(KEY),--header 'Authorization: Bearer $(KEY)') --max-examples $(or $(EXAMPLES),500)

# How long each page of the console takes with 100,000 conversations stored (COUNT), on the release binary;
# DATABASE=postgres://... measures an empty PostgreSQL database instead of SQLite.
.PHONY: page-figures
page-figures:
	cargo build --release
	python3 tests/python/page_figures.py $(abspath $(or $(CARGO_TARGET_DIR),target))/release/anteroom $(or $(COUNT),100000) $(DATABASE)
