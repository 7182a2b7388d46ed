"""Noise as images and sound, through a model's own processor where it has one, else in the shape of its configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from worker_errors import JobError
from worker_texts import SEED

_PROCESSOR_FILES = ("preprocessor_config.json", "processor_config.json")
_PICTURE = (640, 480)
_SECONDS = 10
_RATE_HZ = 16_000
_FRAMES_PER_S = 100
_PACKED_IMAGES = ("idefics2", "idefics3", "smolvlm")
"""Families whose images come with an axis for several images a prompt."""


def has_processor(root: str) -> bool:
    """Do the files say how images or sound are prepared?"""
    return any((Path(root) / name).is_file() for name in _PROCESSOR_FILES)


def _own(kind: Any, root: str) -> Any:
    try:
        return kind.from_pretrained(root, trust_remote_code=False, local_files_only=True)
    except (ValueError, KeyError, OSError, ImportError, TypeError, AttributeError) as error:
        text = " ".join(str(error).split())[:200]
        raise JobError("unsupported", f"its processor cannot be used here: {text}") from error


def _picture() -> Any:
    from PIL import Image  # noqa: PLC0415 (only where images are read)

    width, height = _PICTURE
    noise = torch.randint(0, 256, (height, width, 3), generator=_generator(), dtype=torch.uint8)
    return Image.frombytes("RGB", _PICTURE, bytes(noise.flatten().tolist()))


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(SEED)


def _tensors(prepared: Any) -> dict[str, torch.Tensor]:
    return {key: value for key, value in dict(prepared).items() if isinstance(value, torch.Tensor)}


def image_materials(root: str, config: Any) -> dict[str, Any]:
    """One image.

    Args:
        root: Folder of the model's files.
        config: The model's configuration.

    Returns:
        `row` (arguments of the model for one image) and `note`.
    """
    if has_processor(root):
        row = _tensors(_own(transformers.AutoImageProcessor, root)(images=[_picture()], return_tensors="pt"))
        note = f"noise images of {_size(row['pixel_values'])} from its own processor"
        return {"row": row, "note": note}
    pixels = torch.rand(_image_shape(config), generator=_generator())
    return {"row": {"pixel_values": pixels}, "note": f"noise images of {_size(pixels)}"}


def _image_shape(config: Any) -> tuple[int, ...]:
    inner = getattr(config, "vision_config", None) or getattr(config, "encoder", None) or config
    size = getattr(inner, "image_size", None) or 224
    height, width = (size, size) if isinstance(size, int) else size
    channels = getattr(inner, "num_channels", None) or 3
    packed = (1,) if getattr(config, "model_type", "") in _PACKED_IMAGES else ()
    return (1, *packed, channels, height, width)


def _size(pixels: torch.Tensor) -> str:
    if pixels.ndim < 4:
        return f"{_PICTURE[0]}x{_PICTURE[1]}"  # cut into pieces already
    return f"{pixels.shape[-1]}x{pixels.shape[-2]}"


def prompt_materials(root: str, config: Any) -> dict[str, Any]:
    """One image and the start of a prompt that shows it.

    Args:
        root: Folder of the model's files.
        config: The model's configuration.

    Returns:
        `row` (arguments of the model, `input_ids` among them when a processor made the prompt) and `note`.
    """
    processor = _prompting(root)
    if processor is None:
        made = image_materials(root, config)
        return {**made, "note": f"{made['note']}, put into a prompt without its processor"}
    text = getattr(processor, "image_token", None) or "<image>"
    if getattr(processor, "chat_template", None):
        content = [{"type": "image"}, {"type": "text", "text": ""}]
        text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    try:
        row = _tensors(processor(text=[text], images=[_picture()], return_tensors="pt"))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ImportError) as error:
        said = " ".join(str(error).split())[:200]
        raise JobError("unsupported", f"its processor makes no prompt of an image and a text: {said}") from error
    return {"row": row, "note": f"noise images of {_size(row['pixel_values'])} from its own processor"}


def _prompting(root: str) -> Any:
    """The processor for image and text; None without one, or where it needs a package for videos that is not here."""
    if not has_processor(root):
        return None
    try:
        processor = _own(transformers.AutoProcessor, root)
    except JobError:
        return None
    return processor if hasattr(processor, "image_processor") else None


def audio_materials(root: str, config: Any, name: str) -> dict[str, Any]:
    """One piece of sound.

    Args:
        root: Folder of the model's files.
        config: The model's configuration.
        name: The argument that takes it: `input_features` or `input_values`.

    Returns:
        `row` (arguments of the model for one piece), `seconds` and `note`.
    """
    frames = 2 * (getattr(config, "max_source_positions", None) or 0)
    seconds = frames / _FRAMES_PER_S if frames and name == "input_features" else _SECONDS
    if has_processor(root):
        extractor = _own(transformers.AutoFeatureExtractor, root)
        seconds = getattr(extractor, "chunk_length", None) or _SECONDS
        rate = getattr(extractor, "sampling_rate", _RATE_HZ)
        noise = torch.rand(int(seconds * rate), generator=_generator()) - 0.5
        row = _tensors(extractor(noise.numpy(), sampling_rate=rate, return_tensors="pt"))
        return {"row": row, "seconds": seconds, "note": f"{seconds:g} s of noise through its own feature extractor"}
    if name == "input_values":
        noise = torch.rand((1, int(seconds * _RATE_HZ)), generator=_generator()) - 0.5
        return {"row": {name: noise}, "seconds": seconds, "note": f"{seconds:g} s of noise at 16 kHz"}
    bins = getattr(config, "num_mel_bins", None)
    if not frames or not bins:
        raise JobError(
            "unsupported", "its files hold no feature extractor, and its configuration does not say the size"
        )
    features = torch.randn((1, bins, frames), generator=_generator())
    return {"row": {name: features}, "seconds": seconds, "note": f"{seconds:g} s of noise as spectrum"}
