"""What guidance is filed under: topics, stages, readers, languages, and the tools that answer its checks."""

from __future__ import annotations

from typing import Literal

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = ("en", "ja")
TOPICS = (
    "acceptance-test", "artefact-mirroring", "bias-evaluation", "conversion-parity-test", "cost-and-budget", "determinism",
    "embedding-migration", "env-lockfile", "explainability", "fine-tuning-plan", "hallucination-guardrails",
    "hardware-backend", "inference-parameters", "latency-serving", "length-limits", "license-check", "meeting-phrases",
    "memory-lifecycle", "model-card-review", "model-refresh-decision", "model-selection", "monitoring",
    "offline-deployment", "operating-rules", "ownership-and-sign-off", "poc-scope", "preprocessing-parity",
    "quantization-acceptance", "remote-code-review", "resource-profiling", "return-on-investment", "rollback",
    "safe-serialization", "start-without-ml-staff", "supply-chain", "tokenizer-contract", "training-data-provenance",
    "upgrade-compat-test", "upstream-change-monitoring", "version-pinning", "warm-start",
)  # fmt: skip
STAGES = ("desk-check", "proof-of-concept", "pilot", "production")
AUDIENCES = ("manager", "engineer", "starter")
TOOL_NAMES = (
    "search_guidance", "fetch_model", "inspect_files", "estimate_memory", "profile_model", "check_version",
    "check_documentation", "observe_behavior", "estimate_cost", "compare_models", "plan_adoption",
)  # fmt: skip
"""Names only: this package imports no tool."""
