"""What `accelerate estimate-memory` does, for a folder, which the command itself refuses: a model without weights, added up.

Prints the bytes of all weights and the seconds that this took once the libraries were there.
"""

from __future__ import annotations

import sys
import time

from accelerate import init_empty_weights
from accelerate.utils import calculate_maximum_sizes
from transformers import AutoConfig, AutoModel

if __name__ == "__main__":
    start = time.perf_counter()
    config = AutoConfig.from_pretrained(sys.argv[1], local_files_only=True)
    with init_empty_weights():
        model = AutoModel.from_config(config)
    total_bytes, _ = calculate_maximum_sizes(model)
    print(int(total_bytes), time.perf_counter() - start)
