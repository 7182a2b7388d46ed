"""What is known about a model for a plan: the newest record of each tool about its present commit, and the targets."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from assistant.advice.policy_limits import DATA_CLASSES, data_classes
from assistant.advice.policy_text import normalised
from assistant.evidence import Evidence, latest, of_present_commit

_MIB_PER_GIB = 1024
_DAYS_PER_WEEK = 7
_UNSAFE_WEIGHTS = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".h5", ".keras")


class PlanFacts:
    """The evidence of a plan, by what is asked of it.

    Args:
        evidence: Evidence about one model, newest first.
        targets: What the user told.
    """

    def __init__(self, evidence: Sequence[Evidence], targets: dict[str, Any]) -> None:
        self.evidence = of_present_commit(evidence)
        self.targets = targets

    def record_of(self, tool: str) -> tuple[dict[str, Any], str] | None:
        """The newest record of a tool and its evidence id."""
        found = latest(self.evidence, tool)
        return (found.record, found.id) if found else None

    @property
    def commit(self) -> str:
        """The commit or content hash that the evidence is about, or empty."""
        return next((e.commit for e in self.evidence if e.commit), "")

    @property
    def peak_memory_mib(self) -> tuple[float, str] | None:
        """Measured peak memory, else the forecast, with its evidence id."""
        for tool, field in (("profile_model", "peak_memory_mib"), ("estimate_memory", "total_mib")):
            found = self.record_of(tool)
            if found is not None and found[0].get(field) is not None:
                return float(found[0][field]), found[1]
            if found is not None:
                return None
        return None

    @property
    def latency_p95_ms(self) -> tuple[float, str] | None:
        """Measured p95 of the smallest batch, with its evidence id."""
        found = self.record_of("profile_model")
        runs = [r for r in (found[0]["runs"] if found else ()) if r.get("latency_p95_ms") is not None]
        if found is None or not runs:
            return None
        return float(min(runs, key=lambda r: r["batch_size"])["latency_p95_ms"]), found[1]

    @property
    def measured_amid_noise(self) -> bool:
        """Whether other work disturbed the newest measurement."""
        found = self.record_of("profile_model")
        return found is not None and found[0].get("noise") == "noisy"

    @property
    def cost(self) -> Evidence | None:
        """The newest estimate that was worked out for the user's load and price and has amounts."""
        wanted = {k: v for k, v in self.targets.items() if k in {"requests_per_day", "price_per_hour", "currency"}}
        fitting = (
            e for e in self.evidence if e.tool == "estimate_cost" and all(e.record[k] == wanted[k] for k in wanted)
        )
        found = next(fitting, None)
        has_amounts = found is not None and any(o["cost_per_month"] is not None for o in found.record["options"])
        return found if has_amounts else None

    @property
    def weight_files(self) -> tuple[str, ...]:
        """Files of weights in the snapshot."""
        found = self.record_of("fetch_model")
        names = [f["name"] for f in found[0]["files"]] if found else []
        return tuple(n for n in names if n.endswith((".safetensors", ".gguf", ".onnx", *_UNSAFE_WEIGHTS)))

    @property
    def unsafe_weight_files(self) -> tuple[str, ...]:
        """Those in a format that can run a program."""
        return tuple(n for n in self.weight_files if n.endswith(_UNSAFE_WEIGHTS))

    @property
    def device_memory_mib(self) -> float | None:
        """Memory that the user has, in MiB; absent when nobody said."""
        limit = self.targets.get("device_memory_gib")
        return float(limit) * _MIB_PER_GIB if limit else None

    @property
    def data_class(self) -> str:
        """Class of the data that the model will see, as one of `DATA_CLASSES`; empty when nobody said or it is none."""
        said = normalised(str(self.targets.get("data_class") or ""))
        if said.lower().replace(" ", "_") in DATA_CLASSES:
            return said.lower().replace(" ", "_")
        return next(iter(reversed(data_classes(said))), "") or _by_word(said)

    def deadline(self, today: dt.date) -> dt.date | None:
        """Day by which the user wants it in production; absent when nobody said or it is no date.

        Args:
            today: Day from which a number of weeks counts.
        """
        said = self.targets.get("deadline")
        if isinstance(said, int | float) and 0 < said <= 520:
            return today + dt.timedelta(days=round(said * _DAYS_PER_WEEK))
        text = normalised(str(said or ""))
        if weeks := re.fullmatch(r"(\d{1,3})\s*(?:weeks?|w|週間?)?", text, re.IGNORECASE):
            return today + dt.timedelta(days=int(weeks[1]) * _DAYS_PER_WEEK)
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            return None


def _by_word(said: str) -> str:
    """A class by a single word such as "personal" or 「機密」."""
    words = {
        "sensitive_personal": r"sensitive|special|health|medical|要配慮|機微",
        "personal": r"personal|\bpii\b|customer|個人|顧客",
        "confidential": r"confidential|secret|機密|秘密|社外秘",
        "internal": r"internal|in-house|社内|内部",
        "public": r"public|open|公開",
    }
    return next((name for name, pattern in words.items() if re.search(pattern, said, re.IGNORECASE)), "")
