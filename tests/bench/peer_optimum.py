"""The same profile by optimum-benchmark, run by path in its own environment; one launch for each batch size."""

from __future__ import annotations

import sys

from optimum_benchmark import (  # pyright: ignore[reportMissingImports]
    Benchmark,
    BenchmarkConfig,
    InferenceConfig,
    ProcessConfig,
    PyTorchConfig,
)

if __name__ == "__main__":
    folder, batches, length, repeats = sys.argv[1:5]
    for batch in batches.split(","):
        scenario = InferenceConfig(
            latency=True, memory=True, warmup_runs=1, iterations=int(repeats), duration=0,
            input_shapes={"batch_size": int(batch), "sequence_length": int(length)},
        )  # fmt: skip
        backend = PyTorchConfig(
            model=folder, task="feature-extraction", library="transformers", device="cpu", no_weights=False
        )
        config = BenchmarkConfig(name="peer", launcher=ProcessConfig(), scenario=scenario, backend=backend)
        report = Benchmark.launch(config)
        if not report.forward.latency.values:
            raise RuntimeError("nothing was measured")
