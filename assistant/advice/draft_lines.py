"""The lines of a drafted card, by section, each with the id of the evidence it comes from."""

from __future__ import annotations

from typing import Any

from assistant.evidence import Evidence
from assistant.languages import Language
from assistant.phrases import say
from assistant.translation import translate
from tools.cards.template import LIMITATIONS

_MOST_RUNS = 8
_MOST_DATASETS = 8
_DETAILS = ("architecture", "parameters", "dtype", "languages", "base_model", "labels")
_SPECIFICATIONS = ("context_length", "embedding_size", "vocabulary_size")


def as_code(text: str) -> str:
    """Untrusted text as code."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f"`{plain[:200].replace('`', 'ˋ')}`"


class DraftLines:
    """Lines by section, each with its evidence."""

    def __init__(self, found: dict[str, Evidence], language: Language) -> None:
        self._found = found
        self._language: Language = language
        self._card = found["check_documentation"]

    def sections(self) -> dict[str, list[str]]:
        """Lines by the section's name in the template; sections of which nothing is known are left out or empty."""
        return {
            "Model details": self._details(),
            "Direct use": self._uses(stated=True),
            "Out-of-scope use": self._uses(stated=False),
            LIMITATIONS: self._limits(),
            "Recommendations": self._recommendations(),
            "How to get started": self._start(),
            "Training data": self._data(),
            "Testing data and metrics": self._trial_conditions(),
            "Evaluation results": self._trials(),
            "Environmental impact": self._energy(),
            "Technical specifications": [*self._facts(_SPECIFICATIONS), *self._memory(), *self._runs()],
            "Model card authors": [self._say("author", self._card, tools=", ".join(sorted(self._found)))],
        }

    def _say(self, key: str, source: Evidence, **values: Any) -> str:
        return f"- {say(f'draft.{key}', self._language, **values)} [{source.id}]"

    def _text(self, text: str) -> str:
        """A tool's text in the reader's language; angle brackets in it act nowhere."""
        return translate(text, self._language).replace("<", "‹").replace(">", "›")[:400]

    def _details(self) -> list[str]:
        record = self._card.record
        licence = record["licence"]
        lines = [self._say("commit", self._card, model=as_code(self._card.model), commit=as_code(self._card.commit))]
        lines += self._facts(_DETAILS)
        lines.append(
            self._say(
                "licence",
                self._card,
                licence=as_code(licence["spdx"] or licence["tag"] or "-"),
                note=self._text(licence["note"]),
            )
        )
        if (version := self._found.get("check_version")) is not None:
            lines += self._version(version)
        if (files := self._found.get("inspect_files")) is not None:
            lines.append(
                self._say("files", files, verdict=say(f"draft.verdict.{files.record['verdict']}", self._language))
            )
        return lines

    def _version(self, version: Evidence) -> list[str]:
        newest = version.record["newest_commit"]
        library = self._say("library", version, note=self._text(version.record["library"]["note"]))
        if newest is None:
            return [library]
        if newest == version.commit:
            return [self._say("newest", version, newest=as_code(newest)), library]
        return [self._say("behind", version, newest=as_code(newest)), library]

    def _facts(self, topics: tuple[str, ...]) -> list[str]:
        facts = {each["topic"]: each for each in self._card.record["facts"]}
        return [
            self._say(
                "fact",
                self._card,
                topic=translate(topic.replace("_", " "), self._language),
                value=f"{fact['value']:,}" if isinstance(fact["value"], int) else as_code(fact["value"]),
                file=as_code(fact["file"]),
            )
            for topic in topics
            if (fact := facts.get(topic)) is not None
        ]

    def _uses(self, *, stated: bool) -> list[str]:
        """What the team means to do, and what the licence forbids."""
        record = self._card.record
        lines = []
        if stated and record.get("use_case"):
            lines.append(self._say("use_case", self._card, use_case=as_code(record["use_case"])))
        for each in record["licence"]["uses"]:
            if (each["stated"] and stated) or (not stated and each["answer"] == "no"):
                use, answer = (say(f"licence.{k}.{each[k]}", self._language) for k in ("use", "answer"))
                lines.append(self._say("use", self._card, use=use, answer=answer, reason=self._text(each["reason"])))
        return lines

    def _limits(self) -> list[str]:
        lines = [
            self._say(
                "contradicted",
                self._card,
                topic=translate(each["topic"].replace("_", " "), self._language),
                claim=as_code(each["claim"]),
                fact=as_code(each["fact"] or ""),
                file=as_code(each["fact_source"] or ""),
            )
            for each in self._card.record["claims"]
            if each["verdict"] == "contradicted"
        ]
        lines += [line.replace("- ", "- ⚠ ", 1) for line in self._trials(only_unstable=True)]
        if (files := self._found.get("inspect_files")) is not None:
            lines += [
                self._say(
                    "finding", files, rule=each["rule"], file=as_code(each["file"]), found=self._text(each["found"])
                )
                for each in files.record["findings"]
            ]
        length = next((each for each in self._card.record["facts"] if each["topic"] == "context_length"), None)
        if length is not None:
            lines.append(self._say("cut_off", self._card, tokens=f"{length['value']:,}"))
        return lines

    def _recommendations(self) -> list[str]:
        lines = [self._say("pin", self._card, commit=as_code(self._card.commit))]
        gap = self._card.record["most_important_gap"]
        if gap:
            reason = self._text(self._card.record.get("gap_reason") or "")
            lines.append(self._say("gap", self._card, gap=self._text(translate(gap, self._language)), reason=reason))
        return lines

    def _start(self) -> list[str]:
        model, commit = self._card.model, self._card.commit
        pinned = (
            model
            if "@" in model or model.startswith((".", "/")) or commit.startswith("folder-")
            else f"{model}@{commit}"
        )
        return [self._say("start", self._card, command=as_code(f"tameshi fetch-model {pinned}"))]

    def _data(self) -> list[str]:
        parts = [each for each in self._card.record["licence"]["lineage"] if each["role"] == "dataset"]
        unknown = say("licence.unknown", self._language)
        named = [
            self._say("dataset", self._card, name=as_code(each["name"]), licence=each["spdx"] or unknown)
            for each in parts[:_MOST_DATASETS]
        ]
        more = len(parts) - len(named)
        return [*named, self._say("more_datasets", self._card, count=more)] if more else named

    def _trials(self, *, only_unstable: bool = False) -> list[str]:
        source = self._found.get("observe_behavior")
        if source is None:
            return []
        return [
            self._say(
                "trial",
                source,
                name=translate(each["name"].replace("_", " "), self._language),
                state=say(f"draft.trial_state.{'stable' if each['stable'] else 'unstable'}", self._language),
                detail=self._text(each["detail"]),
            )
            for each in source.record["trials"]
            if not (only_unstable and each["stable"])
        ]

    def _trial_conditions(self) -> list[str]:
        source = self._found.get("observe_behavior")
        if source is None:
            return []
        return [self._say("examples", source, count=len(source.record["examples_used"]))]

    def _memory(self) -> list[str]:
        source = self._found.get("estimate_memory")
        if source is None or "profile_model" in self._found:
            return []
        record = source.record
        return [
            self._say(
                "memory",
                source,
                mib=f"{record['total_mib']:,.0f}",
                dtype=record["dtype"],
                batch=record["batch_size"],
                tokens=record["sequence_length"],
            )
        ]

    def _runs(self) -> list[str]:
        source = self._found.get("profile_model")
        if source is None:
            return []
        record = source.record
        lines = [
            self._say(
                "run",
                source,
                batch=run["batch_size"],
                tokens=run["sequence_length"],
                p50=f"{run['latency_p50_ms']:,.1f}",
                p95=f"{run['latency_p95_ms']:,.1f}",
                rate=f"{run['throughput_per_s']:,.1f}",
            )
            for run in record["runs"][:_MOST_RUNS]
            if run.get("latency_p50_ms") is not None and run.get("throughput_per_s") is not None
        ]
        device = as_code(record["device_name"])
        return [
            self._say("peak", source, mib=f"{record['peak_memory_mib']:,.0f}", device=device, dtype=record["dtype"]),
            *lines,
        ]

    def _energy(self) -> list[str]:
        source = self._found.get("profile_model")
        if source is None or source.record.get("energy_j") is None:
            return []
        return [self._say("energy", source, joules=f"{source.record['energy_j']:,.0f}")]
