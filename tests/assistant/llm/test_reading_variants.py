"""What to vary beside a measurement is read off the user's words, in both languages."""

from __future__ import annotations

import pytest

from assistant.llm.turn_schema import read_turn


@pytest.mark.parametrize(
    ("question", "vary"),
    [
        ("Measure org/model and try other number formats", ["dtype"]),
        ("measure org/model, is it faster in bf16?", ["dtype"]),
        ("measure org/model in fp32 and bfloat16", ["dtype"]),
        ("profile org/model, compiled and quantized as well", ["compile", "quantization"]),
        ("measure org/model with eager and sdpa", ["attention"]),
        ("find the largest batch that org/model can take here", ["batch_size"]),
        ("measure how long a context org/model can take", ["sequence_length"]),
        ("org/model を測って。bf16 にすると速くなる?", ["dtype"]),
        ("org/model を量子化とコンパイルも含めて実測して", ["compile", "quantization"]),
        ("org/model のバッチサイズはどこまで大きくできるか測って", ["batch_size"]),
        ("org/model で扱える最長の入力を測って", ["sequence_length"]),
        ("measure org/model in bfloat16", None),
        ("measure org/model at batch sizes 1, 8 and 32", None),
        ("org/model の速度をバッチ8で測って", None),
    ],
)
def test_settings_to_vary(question, vary):
    assert read_turn(question).complete("profile_model", {}).get("vary") == vary


def test_only_a_measurement_varies_settings():
    assert "vary" not in read_turn("does org/model fit in 8-bit?").complete("estimate_memory", {})
