"""Rule T10 for mixtures of experts: every expert of a layer has the same tensors, and there are as many as the config says."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

_EXPERT = re.compile(r"(?P<path>.*\.experts)\.(?P<index>\d{1,6})\.(?P<rest>.+)\Z")
_COUNTS = ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts")


def trouble_with_experts(names: Iterable[str], sizes: Mapping[str, int]) -> str | None:
    """What is not as it must be, one sentence; None when the experts are all there, or none.

    Args:
        names: Names of all tensors.
        sizes: Whole numbers of the config.
    """
    groups: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name in names:
        match = _EXPERT.match(name)
        if match is not None:
            groups[match["path"]][int(match["index"])].add(match["rest"])
    counts = {sizes[key] for key in _COUNTS if key in sizes}
    for path, every in groups.items():
        # A few architectures number what is no expert behind them.
        experts = {index: rests for index, rests in every.items() if not counts or index < max(counts)}
        usual = set[str]().union(*experts.values())
        for index, rests in experts.items():
            if rests != usual:
                return f"Expert {index} of `{path}` has no tensor `{min(usual - rests)}`, though others have it."
        if counts and len(experts) not in counts:
            return f"The config states {max(counts)} experts, `{path}` has {len(experts)}."
    return None
