"""Our own strict reader of safetensors headers: what is not exactly right is refused before anything is mapped."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class TensorInfo(BaseModel):
    """One tensor as its header describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dtype: str
    """The format's name of the type, for example `F32` or `BF16`."""
    shape: tuple[int, ...]
    """Sizes of the dimensions; empty for a scalar."""
    start: int
    """First byte, counted from the end of the header."""
    end: int
    """First byte after it, counted from the end of the header."""
    file: str = ""
    """File that holds it, relative to the model's folder."""

    @property
    def parameters(self) -> int:
        """Number of elements."""
        count = 1
        for size in self.shape:
            count *= size
        return count


class WeightHeader(BaseModel):
    """The header of one safetensors file, or of all shards of a model merged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tensors: dict[str, TensorInfo]
    """Tensors by name."""
    parameters_by_dtype: dict[str, int]
    """Number of parameters by type name."""
    metadata: dict[str, str]
    """The file's own metadata. Untrusted text."""
    header_bytes: int
    """Length of the headers, without the eight bytes before each."""
    data_bytes: int
    """Length of the tensors' data in bytes."""
    files: tuple[str, ...]
    """Files the header was read from, relative to the model's folder."""

    @property
    def total_parameters(self) -> int:
        """Parameters of all types together."""
        return sum(self.parameters_by_dtype.values())


def read_header(path: Path) -> WeightHeader:
    """Read and check the header of one safetensors file."""
    raise NotImplementedError(path)


def snapshot_tensors(root: Path) -> WeightHeader:
    """Read the headers of all of a model's weight files, merged."""
    raise NotImplementedError(root)
